"""Two copies that live at the same time, and three floats that live for ever."""

from . import search

_kept: list[float] = []


def find_all(text: bytes, pattern: bytes) -> list[int]:
    copy = bytearray(text)
    another = bytes(copy)
    _kept.extend([len(text) / 3, len(text) / 5, len(text) / 7])
    return search.find_all(another, pattern)
