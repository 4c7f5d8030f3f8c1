"""The shared library in forked processes, started and stopped inside every call."""

from ..lane import Lane
from ..processes import started_each_time
from . import rust_kernel

__getattr__ = Lane(rust_kernel, started_each_time("fork")).__getattribute__  # the lane's methods are this module's functions
