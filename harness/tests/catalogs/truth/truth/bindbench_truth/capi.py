"""Through a C extension."""

import truth_extension

from . import of

noop = of(truth_extension.first, truth_extension.second)
