"""The shared library and the prototypes of its functions.

A ctypes function without prototype takes anything and returns a C int: a pointer or a size would be cut to 32 bits. With
`argtypes` each argument is converted and checked; that is most of what a ctypes call costs.
"""

from __future__ import annotations

import os
from ctypes import (
    CDLL,
    CFUNCTYPE,
    POINTER,
    Structure,
    c_double,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
    py_object,
)
from typing import Any

ADDRESS = c_void_p  # takes an int, None, a ctypes array, or a bytes object, whose own memory is passed
OK, CALLBACK = 0, 3
ERRORS = {
    1: (ValueError, "the input or the pattern is empty"),
    2: (MemoryError, "the kernel could not allocate"),
    4: (RuntimeError, "failed, as asked"),
    5: (ValueError, "no UTF-8, or no vocabulary"),
    6: (OverflowError, "the sum does not fit 64 bits"),
}


class Offsets(Structure):
    """`bb_offsets`: memory that belongs to the library, until it is handed back to `bb_offsets_free`."""

    _fields_ = [("data", POINTER(c_uint64)), ("length", c_size_t), ("capacity", c_size_t)]


class Tokens(Structure):
    """`bb_tokens`: likewise, until it is handed back to `bb_tokens_free`."""

    _fields_ = [("data", POINTER(c_uint32)), ("length", c_size_t), ("capacity", c_size_t)]


Callback = CFUNCTYPE(c_int32, py_object, c_int64, POINTER(c_int64))


def _raise_error(status: int, _function: Any, _arguments: Any) -> int:
    if status in ERRORS:
        kind, message = ERRORS[status]
        raise kind(message)
    return status


library = CDLL(os.environ["BINDBENCH_KERNELS"])  # CDLL: each call releases the GIL and takes it again
_PROTOTYPES = {
    "bb_noop": (None, []),
    "bb_add": (c_int64, [c_int64, c_int64]),
    "bb_length": (c_size_t, [ADDRESS, c_size_t]),
    "bb_take": (c_int32, [ADDRESS, c_size_t, POINTER(c_int64)]),
    "bb_give": (None, [ADDRESS, c_size_t]),
    "bb_call_back": (c_int32, [Callback, py_object, c_int64, POINTER(c_int64)]),
    "bb_fail": (c_int32, []),
    "bb_kmp_find": (c_int32, [ADDRESS, c_size_t, ADDRESS, c_size_t, c_size_t, c_size_t, POINTER(Offsets)]),
    "bb_offsets_free": (None, [POINTER(Offsets)]),
    "bb_sum": (c_int32, [ADDRESS, c_size_t, POINTER(c_double)]),
    "bb_mean": (c_int32, [ADDRESS, c_size_t, POINTER(c_double)]),
    "bb_var": (c_int32, [ADDRESS, c_size_t, POINTER(c_double)]),
    "bb_std": (c_int32, [ADDRESS, c_size_t, POINTER(c_double)]),
    "bb_bpe_new": (c_int32, [ADDRESS, c_size_t, ADDRESS, c_size_t, POINTER(c_void_p)]),
    "bb_bpe_encode": (c_int32, [c_void_p, ADDRESS, c_size_t, POINTER(Tokens)]),
    "bb_tokens_free": (None, [POINTER(Tokens)]),
}
for _name, (_result, _arguments) in _PROTOTYPES.items():
    _function = getattr(library, _name)
    _function.restype, _function.argtypes = _result, _arguments
    if _result is c_int32:
        _function.errcheck = _raise_error  # called with every result: a status can't be forgotten
