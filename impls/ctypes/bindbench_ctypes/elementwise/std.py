"""The same moments; the C array is made from the items, one by one, whatever they come from."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import byref, c_double
from typing import Any

from ..kernels import library

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
    if not isinstance(data, list):
        view = memoryview(data)
        if view.format != "d" or view.ndim != 1:
            raise TypeError("a list or a one-dimensional buffer of float64 is needed")
        if not view.c_contiguous:
            raise BufferError("the buffer must be contiguous")
    result = c_double()
    items = (c_double * len(data))(*data)
    kernel(items, len(data), byref(result))
    return result.value
