"""re: the standard library's regular expressions, C in the interpreter itself.

A lookahead matches without consuming, so every start is found, overlapping ones too. The text is read in place; each match is a
Python object, of which only the offset is wanted.
"""

from __future__ import annotations

import re
from typing import Union

BytesLike = Union[bytes, bytearray, memoryview]


def find_all(text: BytesLike, pattern: BytesLike) -> list[int]:
    """Every offset of the pattern in the text, ascending."""
    if type(text) is not bytes and not memoryview(text).c_contiguous:
        raise BufferError("the text must be contiguous")  # re would call it a TypeError
    with memoryview(pattern) as needle:  # a subclass of bytes may say that it is of another length than it is
        if not needle.c_contiguous:
            raise BufferError("the pattern must be contiguous")
        sought = needle.tobytes()
    if not sought:
        raise ValueError("the pattern is empty")
    return [match.start() for match in re.finditer(b"(?=" + re.escape(sought) + b")", text)]
