"""One implementation behind eight lanes: whatever a run finds between them is the run's own error."""

from __future__ import annotations

from typing import Callable


def noop() -> None:
    """Does nothing."""


def add(a: int, b: int) -> int:
    """The sum."""
    return a + b


def take_list(xs: list[int]) -> int:
    """The sum of the list."""
    return sum(xs)


def give_list(n: int) -> list[int]:
    """0 … n − 1."""
    return list(range(n))


def call_back(f: Callable[[int], int], n: int) -> int:
    """The sum of f(0) … f(n − 1)."""
    return sum(map(f, range(n)))


def fail() -> None:
    """Raises."""
    raise RuntimeError("as asked")
