"""The same moments; the C array is made from the items, one by one, whatever they come from."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from ctypes import byref, c_double
from typing import Any

from ..kernels import library
from ..memory import FLOAT64, items_of

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
    if isinstance(data, list):
        arguments = tuple(items_of(data))  # from here on the list may change: this one can't
    else:
        view = memoryview(data)
        if view.format not in FLOAT64 or view.ndim != 1:
            raise TypeError("a list or a one-dimensional buffer of float64 is needed")
        if not view.c_contiguous:
            raise BufferError("the buffer must be contiguous")
        # A memoryview can't take items apart whose format says more than "d", like that of a ctypes array.
        arguments = tuple(view if view.format == "d" else array("d", view.tobytes()))
    result = c_double()
    items = (c_double * len(arguments))(*arguments)
    kernel(items, len(items), byref(result))
    return result.value
