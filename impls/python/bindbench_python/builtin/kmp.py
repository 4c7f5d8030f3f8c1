"""`bytes.find`, again and again: not Knuth-Morris-Pratt, but what one would write."""

from __future__ import annotations

from ..inputs import BytesLike, octets


def find_all(text: BytesLike, pattern: BytesLike) -> list[int]:
    """Every offset of the pattern in the text, overlapping ones too."""
    text, pattern = bytes(octets(text)), bytes(octets(pattern))  # a memoryview has no find: it is copied, bytes are not
    if not pattern:
        raise ValueError("the pattern is empty")
    found = []
    offset = text.find(pattern)
    while offset != -1:
        found.append(offset)
        offset = text.find(pattern, offset + 1)  # + 1, not + len(pattern), which steps over a match that overlaps
    return found
