"""The shared library in forked processes, kept from call to call."""

from ..lane import Lane
from ..processes import kept
from . import rust_kernel

__getattr__ = Lane(rust_kernel, kept("fork")).__getattribute__  # the lane's methods are this module's functions
