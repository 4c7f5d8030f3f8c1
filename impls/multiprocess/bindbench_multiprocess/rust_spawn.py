"""The shared library in spawned processes, kept from call to call."""

from . import rust_kernel
from .lane import Lane
from .processes import kept

__getattr__ = Lane(rust_kernel, kept("spawn")).__getattribute__  # the lane's methods are this module's functions
