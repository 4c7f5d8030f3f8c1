"""The shortest way the standard library knows; where it knows none, the function of the other lane."""

from __future__ import annotations

import operator

from ..inputs import integer_sum
from ..pure.call import call_back, fail, length, noop

__all__ = ["add", "call_back", "fail", "give_list", "length", "noop", "take_list"]

add = operator.add  # C, and no Python frame is made; it adds strings just as gladly

# `sum(map(f, range(n)))` would call f from C. But a StopIteration that f raises is the end to `sum`, which answers as if nothing
# had happened: so call_back is the other lane's.


def take_list(xs: list[int]) -> int:
    """The sum, in C."""
    return integer_sum(sum, xs)


def give_list(n: int) -> list[int]:
    """The ints below n, made and stored in C."""
    n = operator.index(n)
    if n < 0:
        raise ValueError("n must not be negative")
    return list(range(n))
