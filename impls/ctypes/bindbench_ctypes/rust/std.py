"""Moments in the shared library: a list is unboxed into an array first, a float64 buffer is passed where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import byref, c_double
from typing import Any

from ..kernels import library
from ..memory import FLOAT64, Borrowed, unboxed

Numbers = Sequence[float]


def sum(data: Numbers) -> float:
    """The sum."""
    return _moment(library.bb_sum, data)


def mean(data: Numbers) -> float:
    """The mean."""
    return _moment(library.bb_mean, data)


def var(data: Numbers) -> float:
    """The population variance."""
    return _moment(library.bb_var, data)


def std(data: Numbers) -> float:
    """The population standard deviation."""
    return _moment(library.bb_std, data)


def _moment(kernel: Any, data: Numbers) -> float:
    result = c_double()
    if isinstance(data, list):
        items = unboxed("d", data)  # checks and converts each item: this is where the time goes
        kernel(*items.buffer_info(), byref(result))
    else:
        view = memoryview(data)
        if view.format not in FLOAT64 or view.ndim != 1:
            raise TypeError("a list or a one-dimensional buffer of float64 is needed")
        with Borrowed(view) as memory:
            kernel(memory.address, memory.length // 8, byref(result))
    return result.value
