"""numpy: C behind a hand-written extension.

A buffer becomes an array without a copy. A list becomes one item by item, each unboxed into memory of NumPy's own: that, not the
arithmetic, is most of the time. Each operation is then a call of C, `var` and `std` with an array of deviations in between; what
comes back is a `numpy.float64`, made a `float` here.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence

import numpy as np

Numbers = Sequence[float]

FLOAT64 = {"d", "@d", "=d", "<d" if sys.byteorder == "little" else ">d"}
"""The formats of a buffer that are this machine's float64."""


def _array(data: Numbers) -> np.ndarray:
    """The numbers as an array of one dimension, or what the contract says of data that are none."""
    numbers = _from_list(data) if isinstance(data, list) else _from_buffer(data)
    if not len(numbers):
        raise ValueError("no data")  # of nothing NumPy would say 0.0 or, with a warning, nan
    return numbers


def _from_list(items: list[float]) -> np.ndarray:
    """NumPy looks at every item to find a type that holds them all."""
    if type(items) is not list:
        items = list.copy(items)  # what it holds, not what its `__iter__` says
    try:
        numbers = np.asarray(items)
    except ValueError as error:  # lists of several lengths among the items
        raise TypeError("an item is no number") from error
    if numbers.dtype == object and numbers.ndim == 1:
        # The length of the list may change meanwhile: an iterator makes do with what it finds.
        return np.frombuffer(array("d", iter(items)))  # ints beyond 64 bits; array refuses None, which NumPy would take for nan
    if numbers.dtype.kind not in "biuf" or numbers.ndim != 1:
        raise TypeError("an item is no number")
    return numbers


def _from_buffer(data: Numbers) -> np.ndarray:
    """The same memory; frombuffer takes any bytes for float64, so their format is looked at before."""
    view = memoryview(data)  # raises TypeError for what has no buffer
    if view.format not in FLOAT64 or view.ndim != 1:
        raise TypeError("a list or a one-dimensional buffer of float64 is needed")
    if not view.c_contiguous:
        raise BufferError("the buffer must be contiguous")
    return np.frombuffer(view)


def sum(data: Numbers) -> float:
    """`dtype`, because ints would be added in 64 bits, and wrap."""
    return float(_array(data).sum(dtype=np.float64))


def mean(data: Numbers) -> float:
    """The mean of the population."""
    return float(_array(data).mean(dtype=np.float64))


def var(data: Numbers) -> float:
    """The variance of the population, in two passes."""
    return float(_array(data).var(dtype=np.float64))


def std(data: Numbers) -> float:
    """Its root."""
    return float(_array(data).std(dtype=np.float64))
