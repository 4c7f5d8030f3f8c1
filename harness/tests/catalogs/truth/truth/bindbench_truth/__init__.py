"""Calls of which it is known where their time goes: 30 % in one native function, 50 % in another, 20 % in a loop of Python's."""

from __future__ import annotations

from time import thread_time_ns
from typing import Callable

FIRST_NS, SECOND_NS, PYTHON_NS = 3_000_000, 5_000_000, 2_000_000


def python_loop(ns: int) -> None:
    end = thread_time_ns() + ns
    while thread_time_ns() < end:
        for _ in range(500):
            pass


def of(first: Callable[[int], None], second: Callable[[int], None]) -> Callable[[], None]:
    """An operation that shares its time out among the two and Python."""

    def noop() -> None:
        first(FIRST_NS)
        second(SECOND_NS)
        python_loop(PYTHON_NS)

    return noop
