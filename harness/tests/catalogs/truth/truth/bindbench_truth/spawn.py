"""In two processes, started by spawn."""

from .pool import of_pool

noop = of_pool("spawn")
