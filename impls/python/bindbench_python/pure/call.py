"""What a call costs when there is no border: the interpreter's own price for a function."""

from __future__ import annotations

import sys
from collections.abc import Callable
from operator import index

from ..inputs import BytesLike, contiguous, integer_sum


def noop() -> None:
    """Do nothing: what is left is the call."""


def add(a: int, b: int) -> int:
    """The sum, of any size. `index` lets ints through, and what is one: a float is none, and has a `+` all the same."""
    return index(a) + index(b)


def length(data: BytesLike) -> int:
    """The number of bytes, read from the object's buffer."""
    return contiguous(data).nbytes


def take_list(xs: list[int]) -> int:
    """The sum of the items."""
    return integer_sum(_total, xs)


def _total(items: list[int]) -> int:
    total = 0
    for item in items:
        total += item
    return total


def give_list(n: int) -> list[int]:
    """The ints below n, appended one by one."""
    n = index(n)
    if n < 0:
        raise ValueError("n must not be negative")
    if n > sys.maxsize // 8:
        raise OverflowError("no list has so many items")  # appending would find out when the memory is full
    items = []
    for i in range(n):
        items.append(i)
    return items


def call_back(f: Callable[[int], int], n: int) -> int:
    """The sum of what f answers: no border on the way in, and none on the way back."""
    if not callable(f):
        raise TypeError(f"a function is needed, not {type(f).__name__}")
    below = range(n)
    len(below)  # raises OverflowError for more calls than anybody can make
    total = 0
    for i in below:
        total += index(f(i))
    return total


def fail() -> None:
    """Raise."""
    raise RuntimeError("failed, as asked")
