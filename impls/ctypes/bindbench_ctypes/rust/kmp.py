"""Knuth-Morris-Pratt in the shared library; the offsets come back in bulk."""

from __future__ import annotations

from array import array
from ctypes import byref, string_at
from typing import Union

from ..kernels import Offsets, library
from ..memory import Borrowed

BytesLike = Union[bytes, bytearray, memoryview]

_find, _free = library.bb_kmp_find, library.bb_offsets_free


def find_all(text: BytesLike, pattern: BytesLike) -> list[int]:
    """Every offset of the pattern in the text: the library's memory is copied at once, boxed at once, and given back."""
    found = scan(text, pattern)
    try:
        return array("Q", string_at(found.data, 8 * found.length)).tolist()
    finally:
        _free(byref(found))


def scan(text: BytesLike, pattern: BytesLike) -> Offsets:
    """The offsets, in the library's memory. Lengths are passed along: NUL is a byte like any other."""
    if type(pattern) is not bytes:  # of a subclass, the length is what its __len__ says
        with Borrowed(pattern) as memory:
            pattern = string_at(memory.address, memory.length)  # short: to copy it is the cheapest way to keep it
    found = Offsets()
    if type(text) is bytes:
        _find(text, len(text), pattern, len(pattern), 0, len(text), byref(found))
    else:
        with Borrowed(text) as memory:
            _find(memory.address, memory.length, pattern, len(pattern), 0, memory.length, byref(found))
    return found
