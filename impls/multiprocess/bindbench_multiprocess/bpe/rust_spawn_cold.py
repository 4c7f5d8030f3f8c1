"""The shared library in spawned processes, started and stopped inside every call."""

from ..lane import Lane
from ..processes import started_each_time
from . import rust_kernel

__getattr__ = Lane(rust_kernel, started_each_time("spawn")).__getattribute__  # the lane's methods are this module's functions
