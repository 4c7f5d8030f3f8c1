"""Objects as Python programs pass them, which are not quite what they seem."""

from __future__ import annotations

import ctypes
from typing import Any


class Problem(Exception):
    """What an object raises of its own."""


class Index:
    """An int to whoever asks by `__index__`."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


class Real:
    """A float to whoever asks by `__float__`."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __float__(self) -> float:
        return self.value


class OnlyInt:
    """It can be made an int, and is none."""

    def __int__(self) -> int:
        return 1


class FailingIndex:
    """Raises when it is asked for its value."""

    def __index__(self) -> int:
        raise Problem("no value")


class FailingReal:
    """Raises when it is asked for its value."""

    def __float__(self) -> float:
        raise Problem("no value")


class IntSubclass(int):
    """An int of another name."""


class FloatSubclass(float):
    """A float of another name."""


class LyingList(list):  # type: ignore[type-arg]
    """Says that it has other items than it has."""

    def __len__(self) -> int:
        return 1_000_000

    def __iter__(self) -> Any:
        return iter([7] * 7)

    def __getitem__(self, _index: Any) -> Any:
        return 7


class LyingBytes(bytes):
    """Says that it is longer than it is."""

    def __len__(self) -> int:
        return 1_000_000


class ExportingBytes(bytes):
    """Says that its bytes are other ones, from Python 3.12 on."""

    def __buffer__(self, _flags: int) -> memoryview:
        return memoryview(b"abc")


class LyingBytearray(bytearray):
    """Says that it is longer than it is."""

    def __len__(self) -> int:
        return 1_000_000


class LyingText(str):
    """Says that it is longer than it is, and another text."""

    def __len__(self) -> int:
        return 1_000_000

    def encode(self, *_arguments: Any, **_options: Any) -> bytes:
        """Of another text."""
        return b"another text"


class Pair(ctypes.Structure):
    """16 bytes, of a format that is neither bytes nor float64."""

    _fields_ = [("x", ctypes.c_double), ("y", ctypes.c_double)]


def unaligned(memory: bytes) -> memoryview:
    """The same bytes at an odd address."""
    room = bytearray(len(memory) + 8)
    start = 1 if ctypes.addressof(ctypes.c_char.from_buffer(room)) % 2 == 0 else 2
    view = memoryview(room)[start : start + len(memory)]
    view[:] = memory
    return view
