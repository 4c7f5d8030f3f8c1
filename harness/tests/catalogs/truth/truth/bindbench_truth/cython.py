"""Through Cython."""

import truth_cython

from . import of

noop = of(truth_cython.first, truth_cython.second)
