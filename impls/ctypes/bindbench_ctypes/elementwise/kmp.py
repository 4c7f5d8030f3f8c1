"""The same search; the offsets are read by index."""

from __future__ import annotations

from ctypes import byref

from ..kernels import library
from ..rust.kmp import BytesLike, scan


def find_all(text: BytesLike, pattern: BytesLike) -> list[int]:
    """Every offset of the pattern in the text. A pointer has no length and no end: indexing beyond `length` reads on."""
    found = scan(text, pattern)
    try:
        return [found.data[k] for k in range(found.length)]
    finally:
        library.bb_offsets_free(byref(found))
