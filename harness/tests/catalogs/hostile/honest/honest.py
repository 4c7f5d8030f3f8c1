"""Right, always."""

from __future__ import annotations


def add(a: int, b: int) -> int:
    return a + b


def give_list(n: int) -> list[int]:
    return list(range(n))


def take_list(items: list[int]) -> int:
    return sum(items)
