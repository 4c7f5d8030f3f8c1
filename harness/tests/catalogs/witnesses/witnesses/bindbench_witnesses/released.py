"""The GIL is released while the C code spins."""

import ctypes

from . import ROUNDS_A_BYTE, search, spin

_spin = spin(ctypes.CDLL)


def find_all(text: bytes, pattern: bytes) -> list[int]:
    _spin(ROUNDS_A_BYTE * len(text))
    return search.find_all(text, pattern)
