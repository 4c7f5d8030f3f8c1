"""The checks both lanes make, once a call and never once an item."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from operator import index
from pickle import PickleBuffer
from typing import Callable, Union

BytesLike = Union[bytes, bytearray, memoryview]
Numbers = Sequence[float]

FLOAT64 = {"d", "@d", "=d", "<d" if sys.byteorder == "little" else ">d"}
"""The formats of a buffer that are this machine's float64."""


def contiguous(data: BytesLike) -> memoryview:
    """The memory of an object, of any format and any number of dimensions."""
    view = memoryview(data)  # raises TypeError for what is not bytes-like
    if not view.c_contiguous:
        raise BufferError("the bytes must be contiguous")
    return view


def octets(data: BytesLike) -> bytes | memoryview:
    """Something that yields one int a byte: the bytes object itself, or a view of another object's memory.

    A subclass of bytes is read as another object: it may have an `__iter__` and a `__len__` of its own. `raw` and not `cast`,
    which knows few formats.
    """
    return data if type(data) is bytes else PickleBuffer(contiguous(data)).raw()


def listed(items: list[float]) -> list[float]:
    """The list itself; of a subclass what it holds, whatever its own methods say."""
    return items if type(items) is list else list.copy(items)


def integer_sum(total: Callable[[list[int]], int], items: list[int]) -> int:
    """What the function makes of a list of ints.

    Its additions let through what is no int (a float) and what is one in its own way (NumPy's wrap around). Either shows in the
    type of the sum, and `index` then refuses the one and makes ints of the other.
    """
    if not isinstance(items, list):
        raise TypeError(f"a list is needed, not {type(items).__name__}")
    items = listed(items)
    try:
        added = total(items)
    except TypeError:
        added = None
    return added if type(added) is int else total(list(map(index, items)))


def moment(of: Callable[[Numbers], float], data: Numbers, snapshot: bool = True) -> float:
    """What the function makes of a list, or of a one-dimensional buffer of float64.

    A list may change its length at any time: another thread extends it, or an item's `__float__` does. So whoever asks for its
    length, or reads it twice, has a `snapshot` to read.

    Not all that has a float value can be added to a float, and what can may make a sum of its own kind (NumPy's do). Either shows
    in the end, and `array` then takes the values: of Decimal, Fraction, whatever has `__float__` or `__index__`; not of a str.
    """
    if isinstance(data, list):
        numbers = list.copy(data) if snapshot else listed(data)
    else:
        numbers = _float64(data)
    if not len(numbers):
        raise ValueError("no data")
    try:
        result = of(numbers)
    except TypeError:
        result = None
    return result if type(result) is float else of(array("d", iter(numbers)))


def _float64(data: Numbers) -> Numbers:
    view = memoryview(data)  # raises TypeError for what has no buffer
    if view.format not in FLOAT64 or view.ndim != 1:
        raise TypeError("a list or a one-dimensional buffer of float64 is needed")
    return PickleBuffer(contiguous(view)).raw().cast("d")
