"""Arguments of a call, in the form the protocol gives them."""

from __future__ import annotations

import os
from array import array
from pathlib import Path
from typing import Any, Union

Argument = dict[str, Any]
Number = Union[int, float]

NONE: Argument = {"none": None}


def boolean(value: bool) -> Argument:
    """A `bool`."""
    return {"boolean": value}


def integer(value: int) -> Argument:
    """An `int`."""
    return {"integer": str(value)}


def floating(value: float) -> Argument:
    """A `float`."""
    return {"float": repr(value)}


def text(value: str) -> Argument:
    """A `str`."""
    return {"text": value}


def data(value: bytes) -> Argument:
    """A `bytes`."""
    return {"bytes": value.hex()}


def mutable_data(value: bytes) -> Argument:
    """A `bytearray`."""
    return {"bytearray": value.hex()}


def listed(*items: Argument) -> Argument:
    """A `list`."""
    return {"list": list(items)}


def fixed(*items: Argument) -> Argument:
    """A `tuple`."""
    return {"tuple": list(items)}


def numbers(items: list[Number]) -> Argument:
    """A `list` of `int` and `float`."""
    return listed(*(integer(item) if isinstance(item, int) else floating(item) for item in items))


def buffer(memory: bytes, format: str = "B", readonly: bool = True, step: int = 1) -> Argument:
    """A `memoryview`."""
    return {"buffer": {"format": format, "hex": memory.hex(), "readonly": readonly, "step": step}}


def matrix(memory: bytes, format: str, rows: int) -> Argument:
    """A `memoryview` of two dimensions."""
    return {"buffer": {"format": format, "hex": memory.hex(), "readonly": True, "rows": rows}}


def float64(items: list[float]) -> bytes:
    """The memory of a buffer of float64."""
    return array("d", items).tobytes()


def function(name: str) -> Argument:
    """One of the functions a worker has for `call_back`."""
    return {"callable": name}


class Files:
    """Makes the files that `mapped` inputs are slices of."""

    OFFSET = 65_536

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0

    def mapped(self, memory: bytes, shape: str, item_size: int = 1, around: bytes = b"") -> Argument:
        """A file argument whose slice is `memory`. With `around`, the file has more, before and after."""
        before = (around * self.OFFSET)[: self.OFFSET]
        path = self._new()
        path.write_bytes(before + memory + around)
        return in_file(path, len(before), len(memory) // item_size, shape)

    def slices(self, memories: list[bytes], shape: str) -> list[Argument]:
        """Arguments of bytes that are slices of one file."""
        path = self._new()
        return [in_file(path, offset, len(memory), shape) for memory, offset in zip(memories, write_slices(path, memories))]

    def _new(self) -> Path:
        """A name of its own each time: a lane may know a file by its name."""
        self._made += 1
        return self._folder / f"{self._made}.bin"


def in_file(path: Path, offset: int, count: int, shape: str) -> Argument:
    """Items of a file."""
    return {"file": {"path": os.fspath(path), "offset": offset, "count": count, "as": shape}}


def write_slices(path: Path, memories: list[bytes]) -> list[int]:
    """Write a file of slices, and return where they start; what is between them takes no place on a disk."""
    offsets = []
    with path.open("wb") as file:
        for memory in memories:
            offsets.append(-(-file.tell() // Files.OFFSET) * Files.OFFSET)
            file.seek(offsets[-1])
            file.write(memory)
    return offsets
