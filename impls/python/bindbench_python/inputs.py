"""The checks both lanes make, once a call and never once an item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

BytesLike = Union[bytes, bytearray, memoryview]
Numbers = Sequence[float]


def octets(data: BytesLike) -> bytes | memoryview:
    """Something that yields one int a byte: the bytes object itself, or a view of another object's memory."""
    if isinstance(data, bytes):
        return data
    view = memoryview(data)  # raises TypeError for what is not bytes-like
    if not view.c_contiguous:
        raise BufferError("the bytes must be contiguous")
    return view.cast("B")


def integers(items: list[int]) -> list[int]:
    """The list itself, if it is one."""
    if not isinstance(items, list):
        raise TypeError(f"a list is needed, not {type(items).__name__}")
    return items


def numbers(data: Numbers) -> Numbers:
    """The list or the float64 buffer itself, if it is one and has items; what the items are, the arithmetic finds out."""
    if not isinstance(data, list):
        view = memoryview(data)  # raises TypeError for what has no buffer
        if view.format != "d" or view.ndim != 1:
            raise TypeError("a list or a one-dimensional buffer of float64 is needed")
        if not view.c_contiguous:
            raise BufferError("the buffer must be contiguous")
    if not len(data):
        raise ValueError("no data")
    return data
