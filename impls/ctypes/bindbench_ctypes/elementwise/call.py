"""What crossing costs when arrays are filled and read one element at a time; the rest is as in the other lane."""

from __future__ import annotations

from ctypes import byref, c_int64
from operator import index

from ..kernels import library
from ..memory import ints_of
from ..rust.call import add, call_back, fail, length, noop

__all__ = ["add", "call_back", "fail", "give_list", "length", "noop", "take_list"]


def take_list(xs: list[int]) -> int:
    """The sum of the items: the list is unpacked into arguments, and each is stored through ctypes."""
    if not isinstance(xs, list):
        raise TypeError(f"a list is needed, not {type(xs).__name__}")
    arguments = tuple(ints_of(xs))  # from here on the list may change: this one can't
    items = (c_int64 * len(arguments))(*arguments)
    total = c_int64()
    library.bb_take(items, len(items), byref(total))
    return total.value


def give_list(n: int) -> list[int]:
    """The ints below n: each index makes a call into ctypes and a new int."""
    n = index(n)
    if n < 0:
        raise ValueError("n must not be negative")
    items = (c_int64 * n)()
    library.bb_give(items, n)
    return [items[k] for k in range(n)]
