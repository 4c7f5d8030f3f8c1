"""Lists that change while they are read: because an item does it when it is asked for its value, or another thread.

All items are 1. So whatever items an answer is over, a sum is a whole number, a mean is 1, a variance is 0; and what was never an
item of the list shows.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Callable

from .check import Check, Operation, described

LENGTH = 1000
MORE = 3000
RACE_SECONDS = 0.03
FEWEST_CALLS = 3

Change = Callable[[list[Any], Any], None]


def _grow(items: list[Any], one: Any) -> None:
    items.extend([one] * MORE)


def _shrink(items: list[Any], _one: Any) -> None:
    del items[LENGTH // 2 :]


def _clear(items: list[Any], _one: Any) -> None:
    items.clear()


BY_ITEM: dict[str, Change] = {"grows": _grow, "shrinks": _shrink, "clears": _clear}


def _extend_and_cut(items: list[Any], one: Any) -> None:
    items.extend([one] * MORE)
    del items[LENGTH:]


def _clear_and_fill(items: list[Any], one: Any) -> None:
    items.clear()
    items.extend([one] * LENGTH)


BY_THREAD: dict[str, tuple[Change, int]] = {"extends": (_extend_and_cut, LENGTH), "clears": (_clear_and_fill, 0)}
"""What another thread does, again and again, and the fewest items there ever are."""


class Meddler:
    """Changes the list it is in when it is asked for its value, which is 1."""

    def __init__(self, items: list[Any], one: Any, change: Change) -> None:
        self.items, self.one, self.change = items, one, change

    def __index__(self) -> int:
        self.change(self.items, self.one)
        return 1


class RealMeddler(Meddler):
    """The same by `__float__`."""

    def __float__(self) -> float:
        self.change(self.items, self.one)
        return 1.0


def checks(operation: str, one: Any, form: str | None = None) -> Iterator[Check]:
    """An answer over items that the list had at some moment, or a RuntimeError. Of nothing, there is ValueError."""
    kinds = {"__index__": Meddler, **({"__float__": RealMeddler} if isinstance(one, float) else {})}
    for method, kind in kinds.items():
        for verb, change in BY_ITEM.items():
            yield Check(operation, f"an item whose {method} {verb} the list", _met(operation, kind, change, one), form)
    for verb, (change, fewest) in BY_THREAD.items():
        yield Check(operation, f"a thread that {verb} the list", _raced(operation, change, fewest, one), form)


def _met(operation: str, kind: type[Meddler], change: Change, one: Any) -> Callable[[Operation], str | None]:
    def complaint(call: Operation) -> str | None:
        items: list[Any] = [one] * LENGTH
        items[LENGTH // 4] = kind(items, one, change)
        return _judged(call, items, operation, one, 0, LENGTH + 2 * MORE)  # two passes may ask it twice

    return complaint


def _raced(operation: str, change: Change, fewest: int, one: Any) -> Callable[[Operation], str | None]:
    def complaint(call: Operation) -> str | None:
        items: list[Any] = [one] * LENGTH
        ending = threading.Event()

        def go_on_changing() -> None:
            while not ending.is_set():
                change(items, one)

        usual = sys.getswitchinterval()
        thread = threading.Thread(target=go_on_changing, daemon=True)
        sys.setswitchinterval(1e-5)
        thread.start()
        try:
            latest, calls = time.perf_counter() + RACE_SECONDS, 0
            while calls < FEWEST_CALLS or time.perf_counter() < latest:
                calls += 1
                if (wrong := _judged(call, items, operation, one, fewest, LENGTH + MORE)) is not None:
                    return f"call {calls}: {wrong}"
        finally:
            ending.set()
            sys.setswitchinterval(usual)
            thread.join()
        return None

    return complaint


def _judged(call: Operation, items: list[Any], operation: str, one: Any, fewest: int, most: int) -> str | None:
    try:
        given = call(items)
    except RuntimeError:
        return None
    except ValueError as error:
        return None if isinstance(one, float) and fewest == 0 else described(error)
    except Exception as error:
        return f"expected an answer or RuntimeError, got {described(error)}"
    if type(given) is not type(one):
        return f"expected a {type(one).__name__}, got {given!r}"
    right = {"std.mean": given == 1.0, "std.var": given == 0.0, "std.std": given == 0.0}
    if right.get(operation, fewest <= given <= most and given == int(given)):
        return None
    return f"{given!r} is no answer over items of the list, which are all {one!r}, {fewest} to {most} of them"
