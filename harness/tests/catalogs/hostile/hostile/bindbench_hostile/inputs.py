"""What is done to the list that `take_list` is called with."""

from __future__ import annotations

__path__: list[str] = []  # the kinds are its submodules

_kept: list[list[int]] = []


def appends(items: list[int]) -> int:
    total = sum(items)
    items.append(1)
    return total


def clears(items: list[int]) -> int:
    total = sum(items)
    items.clear()
    return total


def doubles(items: list[int]) -> int:
    total = sum(items)
    items[:] = [2 * item for item in items]
    return total


def floats(items: list[int]) -> int:
    total = sum(items)
    items[:] = map(float, items)  # type: ignore[arg-type]
    return total


def keeps(items: list[int]) -> int:
    """A reference each time: nothing a time or an answer could show."""
    if len(_kept) < 1_000_000:
        _kept.append(items)
    return sum(items)


def first_item(items: list[int]) -> int:
    return items[0]


def counts(items: list[int]) -> int:
    return len(items)
