"""stringzilla: C with SIMD behind a hand-written extension.

A `Str` points at somebody else's bytes and copies none. It doesn't hold on to a buffer while it does: a bytearray that grows
meanwhile pulls the memory away from under it. A memoryview, alive as long as the search, forbids that.
"""

from __future__ import annotations

from typing import Union

from stringzilla import Str

BytesLike = Union[bytes, bytearray, memoryview]


def find_all(text: BytesLike, pattern: bytes) -> list[int]:
    """Every offset of the pattern in the text, ascending: one call across the border for each."""
    with memoryview(text) as held, memoryview(pattern) as needle:  # a str has no buffer: TypeError, where Str would take it
        if not held.c_contiguous:
            raise BufferError("the text must be contiguous")
        if not needle:
            raise ValueError("the pattern is empty")
        find = Str(held).find
        found = []
        offset = find(needle)
        while offset != -1:
            found.append(offset)
            offset = find(needle, offset + 1)  # + 1, not + len(pattern), which steps over a match that overlaps
        return found
