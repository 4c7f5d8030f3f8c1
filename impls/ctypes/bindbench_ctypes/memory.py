"""Where an object keeps its bytes, and memory of one's own that is filled from a list.

`from_buffer` gives the address of writable memory only. The buffer protocol's own C functions, which ctypes can call like any
other, give it for read-only memory too, and without a copy. While the buffer is borrowed its owner can't resize it: needed,
because the GIL is free during the call and other threads run.
"""

from __future__ import annotations

import ctypes
import sys
from array import array
from ctypes import POINTER, Structure, c_char_p, c_int, c_ssize_t, c_void_p
from operator import index
from typing import Any

if hasattr(ctypes, "pythonapi"):

    class Borrowed(Structure):
        """`Py_buffer`, as the C API lays it out; in a `with` block, `length` bytes at `address` are there and stay there."""

        _fields_ = [
            ("address", c_void_p),
            ("owner", c_void_p),
            ("length", c_ssize_t),
            ("item_size", c_ssize_t),
            ("readonly", c_int),
            ("dimensions", c_int),
            ("format", c_char_p),
            ("shape", POINTER(c_ssize_t)),
            ("strides", POINTER(c_ssize_t)),
            ("suboffsets", POINTER(c_ssize_t)),
            ("internal", c_void_p),
        ]

        def __init__(self, data: Any) -> None:
            """Borrow; TypeError for what has no buffer, BufferError for one that is not contiguous."""
            try:
                _get_buffer(data, self, 0)  # 0 is PyBUF_SIMPLE: plain contiguous bytes; argtypes turn self into its address
            except ValueError:  # what NumPy says of memory that does not lie in one piece
                if memoryview(data).c_contiguous:
                    raise
                raise BufferError("the buffer must be contiguous") from None

        def __enter__(self) -> Borrowed:
            return self

        def __exit__(self, *_exception: object) -> None:
            _release_buffer(self)

    # pythonapi is a PyDLL: it keeps the GIL, as these two need it, and raises the exception they leave behind.
    _get_buffer = ctypes.pythonapi.PyObject_GetBuffer
    _get_buffer.argtypes = [ctypes.py_object, POINTER(Borrowed), c_int]
    _release_buffer = ctypes.pythonapi.PyBuffer_Release
    _release_buffer.argtypes, _release_buffer.restype = [POINTER(Borrowed)], None

else:  # PyPy has no C API behind ctypes: writable memory is borrowed, read-only memory copied once

    class Borrowed:  # type: ignore[no-redef]
        """`length` bytes at `address`."""

        def __init__(self, data: Any) -> None:
            """Borrow or copy; TypeError for what has no buffer, BufferError for one that is not contiguous."""
            view = memoryview(data)
            if not view.c_contiguous:
                raise BufferError("the buffer must be contiguous")
            self.length = view.nbytes
            self._memory = (ctypes.c_char * self.length).from_buffer(bytearray(view) if view.readonly else view)
            self.address = ctypes.addressof(self._memory)

        def __enter__(self) -> Borrowed:
            return self

        def __exit__(self, *_exception: object) -> None:
            del self._memory


FLOAT64 = {"d", "@d", "=d", "<d" if sys.byteorder == "little" else ">d"}
"""The formats of a buffer of float64 in this machine's byte order."""


def items_of(xs: list[Any]) -> list[Any]:
    """The list itself; what a subclass holds, which may say of itself what it likes."""
    return xs if type(xs) is list else list.copy(xs)


if sys.version_info >= (3, 10):
    ints_of = items_of
else:  # array and ctypes take what has __int__ for an int, such as a Decimal

    def ints_of(xs: list[Any]) -> list[Any]:
        """The items, made ints by `__index__` alone."""
        return list(map(index, tuple(items_of(xs))))


def unboxed(typecode: str, xs: list[Any]) -> array[Any]:
    """An array of the items. Its length is the only one to pass on: the list may have another one by now.

    `array` takes the length once, then item by item, and each may run Python code that changes the list.
    """
    xs = items_of(xs)
    count = len(xs)
    try:
        return array(typecode, xs)
    except IndexError:
        if len(xs) >= count:
            raise  # an item's own
        raise RuntimeError("the list changed its length while it was read") from None
