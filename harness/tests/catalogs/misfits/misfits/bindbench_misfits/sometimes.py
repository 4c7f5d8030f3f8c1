"""Off by one at every fifth call."""

from itertools import count

calls = count(1)


def add(a: int, b: int) -> int:
    return a + b + (next(calls) % 5 == 0)
