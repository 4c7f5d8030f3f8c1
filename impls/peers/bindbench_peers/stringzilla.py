"""stringzilla: C with SIMD behind a hand-written extension.

A `Str` points at somebody else's bytes and copies none. It doesn't hold on to a buffer while it does: a bytearray that grows
meanwhile pulls the memory away from under it. A memoryview, alive as long as the search, forbids that.
"""

from __future__ import annotations

from pickle import PickleBuffer
from typing import Union

from stringzilla import Str

BytesLike = Union[bytes, bytearray, memoryview]


def find_all(text: BytesLike, pattern: BytesLike) -> list[int]:
    """Every offset of the pattern in the text, ascending: one call across the border for each."""
    with _memory(text) as held, _memory(pattern) as needle:
        if not needle:
            raise ValueError("the pattern is empty")
        find = Str(held).find
        found = []
        offset = find(needle)
        while offset != -1:
            found.append(offset)
            offset = find(needle, offset + 1)  # + 1, not + len(pattern), which steps over a match that overlaps
        return found


def _memory(data: BytesLike) -> memoryview:
    """The bytes of any buffer. A str has none: TypeError, where Str would take it."""
    if not memoryview(data).c_contiguous:
        raise BufferError("the bytes must be contiguous")
    return PickleBuffer(data).raw()
