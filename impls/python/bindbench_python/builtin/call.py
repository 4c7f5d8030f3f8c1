"""The shortest way the standard library knows; where it knows none, the function of the other lane."""

from __future__ import annotations

import operator
from collections.abc import Callable

from ..inputs import integers
from ..pure.call import fail, length, noop

__all__ = ["add", "call_back", "fail", "give_list", "length", "noop", "take_list"]

add = operator.add  # C, and no Python frame is made; it adds strings just as gladly


def take_list(xs: list[int]) -> int:
    """The sum, in C; a float among the items makes it a float, which `index` refuses."""
    return operator.index(sum(integers(xs)))


def give_list(n: int) -> list[int]:
    """The ints below n, made and stored in C."""
    below = range(n)
    if n < 0:
        raise ValueError("n must not be negative")
    return list(below)


def call_back(f: Callable[[int], int], n: int) -> int:
    """The sum of what f answers; `map` and `sum` call it from C."""
    return operator.index(sum(map(f, range(n))))
