"""Plain Python in spawned processes, kept from call to call."""

from ..lane import Lane
from ..processes import kept
from . import python_kernel

__getattr__ = Lane(python_kernel, kept("spawn")).__getattribute__  # the lane's methods are this module's functions
