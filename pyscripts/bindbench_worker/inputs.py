"""An argument as the driver describes it → the Python object a lane is called with."""

from __future__ import annotations

import mmap
import os
import sys
from array import array
from typing import Any, Callable


class MappedFile(mmap.mmap):
    """A slice of a file of items, mapped read-only: the whole input, and where to find it for another process."""

    path: str
    """The file."""
    offset: int
    """Where the slice starts, in bytes; a multiple of 65,536."""
    count: int
    """Number of items."""

    @classmethod
    def open(cls, path: str, offset: int, count: int, item_size: int) -> MappedFile:
        """Map `count` items. No system maps nothing: a slice of 0 items is one byte of no file."""
        if count == 0:
            mapped = cls(-1, 1, access=mmap.ACCESS_READ)
        else:
            with open(path, "rb") as file:
                mapped = cls(file.fileno(), count * item_size, access=mmap.ACCESS_READ, offset=offset)
        mapped.path, mapped.offset, mapped.count = path, offset, count
        return mapped


def argument(described: dict[str, Any]) -> Any:
    """The object described by one `Argument` of the protocol."""
    ((kind, value),) = described.items()
    return _ARGUMENTS[kind](value)


def _list(items: list[dict[str, Any]]) -> list[Any]:
    return [argument(item) for item in items]


def _tuple(items: list[dict[str, Any]]) -> tuple[Any, ...]:
    return tuple(_list(items))


def _buffer(described: dict[str, Any]) -> memoryview:
    memory = (bytes if described.get("readonly", False) else bytearray).fromhex(described["hex"])
    format, rows = described["format"], described.get("rows")
    if format == ">d":
        import ctypes  # of all the standard library, only its arrays have a byte order; few lanes should find it imported

        return memoryview((ctypes.c_double.__ctype_be__ * (len(memory) // 8)).from_buffer_copy(memory))
    view = memoryview(memory)
    if rows is not None:
        return view.cast(format, (rows, len(memory) // view.cast(format).itemsize // rows))
    return view.cast(format)[:: described.get("step", 1)]


def _file(described: dict[str, Any]) -> Any:
    path, offset, count = described["path"], described["offset"], described["count"]
    return _SHAPES[described["as"]](path, offset, count)


def _bytes_of_file(path: str, offset: int, count: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(offset)
        data = file.read(count)
    if len(data) != count:
        raise EOFError(f"{path} has {len(data)} of {count} bytes at {offset}")
    return data


def _text_of_file(path: str, offset: int, count: int) -> str:
    return _bytes_of_file(path, offset, count).decode()


def _array_of_file(typecode: str, path: str, offset: int, count: int) -> array[Any]:
    items: array[Any] = array(typecode)
    with open(path, "rb") as file:
        file.seek(offset)
        items.fromfile(file, count)
    if sys.byteorder == "big":
        items.byteswap()
    return items


def identity(i: int) -> int:
    """What `call_back` calls when nothing is to go wrong."""
    return i


def raise_at_three(i: int) -> int:
    """Raise at 3. To be called again after that is a fault no answer would show: it ends the process."""
    if i == 3:
        raise KeyError(i)
    if i > 3:
        os.write(2, b"call_back called its function again after the function had raised\n")
        os._exit(70)
    return i


def return_text(i: int) -> str:
    """Return something that is no int."""
    return str(i)


def chain(state: int) -> Callable[[int], int]:
    """A function whose answers depend on all that it has been called with, in what order."""

    def link(i: int) -> int:
        nonlocal state
        state = (1_103_515_245 * state + i + 12_345) & 0x7FFF_FFFF
        return state

    return link


def _callable(described: str | dict[str, int]) -> Callable[[int], object]:
    return chain(described["chain"]) if isinstance(described, dict) else _CALLABLES[described]


_CALLABLES: dict[str, Callable[[int], object]] = {
    "identity": identity,
    "raise_at_three": raise_at_three,
    "return_text": return_text,
}

_SHAPES: dict[str, Callable[[str, int, int], object]] = {
    "bytes": _bytes_of_file,
    "text": _text_of_file,
    "integers": lambda path, offset, count: _array_of_file("q", path, offset, count).tolist(),
    "floats": lambda path, offset, count: _array_of_file("d", path, offset, count).tolist(),
    "float64": lambda path, offset, count: _array_of_file("d", path, offset, count),
    "mapped_bytes": lambda path, offset, count: MappedFile.open(path, offset, count, 1),
    "mapped_float64": lambda path, offset, count: MappedFile.open(path, offset, count, 8),
}

_ARGUMENTS: dict[str, Callable[[Any], object]] = {
    "none": lambda _: None,
    "boolean": bool,
    "integer": int,
    "float": float,
    "text": str,
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "list": _list,
    "tuple": _tuple,
    "buffer": _buffer,
    "callable": _callable,
    "file": _file,
}
