"""`kmp`: texts and patterns of any kind that lies in one piece."""

from __future__ import annotations

import ctypes
from array import array
from typing import Any, Callable

from .check import Check, counts_arguments, gives, refuses, starves
from .objects import LyingBytearray, LyingBytes, Pair, unaligned

FIND = "kmp.find_all"
TEXT = b"\0\0\1\0" * 6
PATTERN = b"\0\1\0\0"
HITS = [1, 5, 9, 13, 17]


def _as_ctypes(kind: Any) -> Callable[[bytes], Any]:
    return lambda memory: (kind * (len(memory) // ctypes.sizeof(kind))).from_buffer_copy(memory)


BUFFERS: dict[str, Callable[[bytes], Any]] = {
    "a bytearray that lies": LyingBytearray,
    "an array of uint16": lambda memory: array("H", memory),
    "a memoryview of int32": lambda memory: memoryview(memory).cast("i"),
    "a memoryview of two dimensions": lambda memory: memoryview(memory).cast("B", (2, len(memory) // 2)),
    "a ctypes array of chars": _as_ctypes(ctypes.c_char),
    "a ctypes array of ints": _as_ctypes(ctypes.c_uint32),
    "an unaligned view": lambda memory: unaligned(memory).cast("I"),
}
"""Ways to make an object that holds these bytes."""

NUMPY: dict[str, Callable[[bytes], Any]] = {
    "a NumPy array": lambda memory: _numpy().frombuffer(memory, "u1"),
    "a NumPy matrix": lambda memory: _numpy().frombuffer(memory, "i2").reshape(2, -1),
    "a NumPy array of records": lambda memory: _numpy().frombuffer(memory, "u1,u1"),
}


def _numpy() -> Any:
    import numpy

    return numpy


def _strided(memory: bytes, step: int) -> Any:
    """An array of NumPy's that does not lie in one piece."""
    numpy = _numpy()
    return numpy.repeat(numpy.frombuffer(memory, "u1"), abs(step))[::step]


def _both_ways(kinds: dict[str, Callable[[bytes], Any]], numpy: bool) -> list[Check]:
    """As a text where a lane takes buffers, and as a pattern where it takes bytes."""
    return [
        check
        for name, kind in kinds.items()
        for check in (
            gives(FIND, f"{name} for a text", lambda kind=kind: (kind(TEXT), PATTERN), HITS, "buffer", numpy),
            gives(FIND, f"{name} for a pattern", lambda kind=kind: (TEXT, kind(PATTERN)), HITS, "bytes", numpy),
        )
    ]


CHECKS = [
    *counts_arguments(FIND, lambda: (TEXT, PATTERN), "bytes"),
    gives(FIND, "a bytes that lies for a text", lambda: (LyingBytes(TEXT), PATTERN), HITS, "bytes"),
    gives(FIND, "a bytes that lies for a pattern", lambda: (TEXT, LyingBytes(PATTERN)), HITS, "bytes"),
    refuses(FIND, "an empty bytes that lies for a pattern", lambda: (TEXT, LyingBytes()), ValueError, form="bytes"),
    *_both_ways(BUFFERS, numpy=False),
    gives(
        FIND, "a memoryview of no dimension for a text", lambda: (memoryview(bytes(8)).cast("d", ()), b"\0" * 7), [0, 1], "buffer"
    ),
    gives(FIND, "a ctypes number for a text", lambda: (ctypes.c_int16(0), b"\0"), [0, 1], "buffer"),
    gives(FIND, "a ctypes structure for a text", lambda: (Pair(0, 0), bytes(15)), [0, 1], "buffer"),
    gives(FIND, "a ctypes number for a pattern", lambda: (TEXT, ctypes.c_char(b"\1")), list(range(2, 24, 4)), "bytes"),
    refuses(FIND, "an empty array for a pattern", lambda: (TEXT, array("d")), ValueError, form="bytes"),
    refuses(FIND, "every other byte for a pattern", lambda: (TEXT, memoryview(b"a b ")[::2]), BufferError, form="bytes"),
    refuses(FIND, "a reversed pattern", lambda: (TEXT, memoryview(b"ab")[::-1]), BufferError, form="bytes"),
    *_both_ways(NUMPY, numpy=True),
    gives(FIND, "a NumPy array of dates", lambda: (_numpy().zeros(2, "M8[s]"), bytes(15)), [0, 1], "buffer", numpy=True),
    starves(
        FIND,
        "more offsets than memory holds",
        lambda: (bytes(1_000_000), b"a"),
        lambda: (b"a" * 1_000_000, b"a"),
        1_000_000,
        "bytes",
    ),
    starves(
        FIND,
        "more offsets in no text than memory holds",
        lambda: (bytes(1_000_000), b"\xff"),
        lambda: (b"\xff" * 1_000_000, b"\xff"),
        1_000_000,
        "bytes",
    ),
    refuses(
        FIND, "every other item of a NumPy array", lambda: (_strided(TEXT, 2), PATTERN), BufferError, form="buffer", numpy=True
    ),
    refuses(FIND, "a reversed NumPy array", lambda: (_strided(TEXT, -1), PATTERN), BufferError, form="buffer", numpy=True),
    refuses(FIND, "every other item for a pattern", lambda: (TEXT, _strided(b"ab", 2)), BufferError, form="bytes", numpy=True),
]
