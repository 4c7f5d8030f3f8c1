"""In two processes, started by fork."""

from .pool import of_pool

noop = of_pool("fork")
