"""What crossing costs when arrays are filled and read one element at a time; the rest is as in the other lane."""

from __future__ import annotations

from ctypes import c_int64

from ..kernels import library
from ..rust.call import add, call_back, fail, length, noop

__all__ = ["add", "call_back", "fail", "give_list", "length", "noop", "take_list"]


def take_list(xs: list[int]) -> int:
    """The sum of the items: the list is unpacked into arguments, and each is stored through ctypes."""
    if not isinstance(xs, list):
        raise TypeError(f"a list is needed, not {type(xs).__name__}")
    items = (c_int64 * len(xs))(*xs)
    return library.bb_take(items, len(xs))


def give_list(n: int) -> list[int]:
    """The ints below n: each index makes a call into ctypes and a new int."""
    items = (c_int64 * n)()  # refuses a negative n with ValueError
    library.bb_give(items, n)
    return [items[k] for k in range(n)]
