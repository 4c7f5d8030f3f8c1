"""The GIL is held for the first half."""

import ctypes

from . import ROUNDS_A_BYTE, search, spin

_held, _released = spin(ctypes.PyDLL), spin(ctypes.CDLL)


def find_all(text: bytes, pattern: bytes) -> list[int]:
    for part in (_held, _released):
        part(ROUNDS_A_BYTE * len(text) // 2)
    return search.find_all(text, pattern)
