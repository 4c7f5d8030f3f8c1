"""The same tasks; the children call the shared library with ctypes (whose README says how)."""

from __future__ import annotations

import mmap
import os
from array import array
from ctypes import (
    CDLL,
    POINTER,
    Structure,
    addressof,
    byref,
    c_char,
    c_char_p,
    c_double,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
    string_at,
)
from typing import Any

from .mapping import Chunk


class Offsets(Structure):
    """`bb_offsets`: memory of the library's, until it is handed back to `bb_offsets_free`."""

    _fields_ = [("data", POINTER(c_uint64)), ("length", c_size_t), ("capacity", c_size_t)]


class Tokens(Structure):
    """`bb_tokens`: likewise, until it is handed back to `bb_tokens_free`."""

    _fields_ = [("data", POINTER(c_uint32)), ("length", c_size_t), ("capacity", c_size_t)]


# Loaded by the parent too, which never calls it: forked children find it in place.
library = CDLL(os.environ["BINDBENCH_KERNELS"])
_MOMENT = (c_int32, [c_void_p, c_size_t, POINTER(c_double)])
_PROTOTYPES = {
    "bb_noop": (None, []),
    "bb_add": (c_int64, [c_int64, c_int64]),
    "bb_length": (c_size_t, [c_void_p, c_size_t]),
    "bb_take": (c_int32, [c_void_p, c_size_t, POINTER(c_int64)]),
    "bb_give": (None, [c_void_p, c_size_t]),
    "bb_fail": (c_int32, []),
    "bb_kmp_find": (c_int32, [c_void_p, c_size_t, c_void_p, c_size_t, c_size_t, c_size_t, POINTER(Offsets)]),
    "bb_offsets_free": (None, [POINTER(Offsets)]),
    "bb_sum": _MOMENT,
    "bb_mean": _MOMENT,
    "bb_var": _MOMENT,
    "bb_bpe_new": (c_int32, [c_char_p, c_size_t, c_char_p, c_size_t, POINTER(c_void_p)]),
    "bb_bpe_cut": (c_size_t, [c_void_p, c_void_p, c_size_t, c_size_t]),
    "bb_bpe_encode": (c_int32, [c_void_p, c_void_p, c_size_t, POINTER(Tokens)]),
    "bb_tokens_free": (None, [POINTER(Tokens)]),
}
# BB_MEMORY, BB_INVALID, BB_OVERFLOW; what else there is can't happen here, or is bb_fail
_ERRORS = {2: MemoryError, 5: ValueError, 6: OverflowError}


def _raise_error(status: int, function: Any, _arguments: Any) -> None:
    if status:
        raise _ERRORS.get(status, RuntimeError)(f"{function.__name__} failed with status {status}")


for _name, (_result, _arguments) in _PROTOTYPES.items():
    _function = getattr(library, _name)
    _function.restype, _function.argtypes = _result, _arguments
    if _result is c_int32:
        _function.errcheck = _raise_error


def noop() -> None:
    """Do nothing, elsewhere and in another language."""
    library.bb_noop()


def add(a: int, b: int) -> int:
    """The sum; `array` refuses what is not an int of 64 bits, ctypes would cut it. Where it wraps around, it is not Python's."""
    total = library.bb_add(*array("q", (a, b)))
    if total != a + b:
        raise OverflowError("the sum does not fit 64 bits")
    return total


def length(data: bytes) -> int:
    """The number of bytes of the copy that arrived."""
    return library.bb_length(data, len(data))


def take_list(xs: list[int]) -> int:
    """The sum of the copy's items."""
    items = array("q", xs)  # named, or it would be freed before the call: buffer_info is an address, and keeps nothing alive
    total = c_int64()
    library.bb_take(*items.buffer_info(), byref(total))
    return total.value


def give_list(n: int) -> list[int]:
    """A list that exists here only to be pickled."""
    items = array("q", [0]) * n
    library.bb_give(*items.buffer_info())
    return items.tolist()


def fail() -> None:
    """Raise; the exception is pickled, and raised again by the parent."""
    library.bb_fail()


def find(chunk: Chunk, pattern: bytes) -> bytes:
    """The matches that start in the chunk; the kernel reads on where they may end. The offsets return as they lie in memory."""
    text = memory(chunk)
    found = Offsets()
    library.bb_kmp_find(addressof(text), chunk.size, pattern, len(pattern), chunk.start, chunk.end, byref(found))
    try:
        return string_at(found.data, 8 * found.length)
    finally:
        library.bb_offsets_free(byref(found))


def total(chunk: Chunk) -> float:
    """The sum of the chunk's float64 items."""
    return _moment(library.bb_sum, chunk)


def moments(chunk: Chunk) -> tuple[int, float, float]:
    """The chunk's number of items, their mean, and the sum of the squared deviations from it."""
    count = chunk.end - chunk.start
    return count, _moment(library.bb_mean, chunk), _moment(library.bb_var, chunk) * count


def _moment(kernel: Any, chunk: Chunk) -> float:
    items = memory(chunk)
    result = c_double()
    kernel(addressof(items) + 8 * chunk.start, chunk.end - chunk.start, byref(result))
    return result.value


def memory(chunk: Chunk) -> c_char:
    """An object at the start of the mapped slice, which has an address and keeps the mapping alive.

    ctypes gives the address of writable memory only. ACCESS_COPY is writable: a page would be copied when it is first written to,
    and none ever is.
    """
    return c_char.from_buffer(chunk.map(mmap.ACCESS_COPY))
