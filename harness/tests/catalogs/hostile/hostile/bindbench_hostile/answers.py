"""Answers that are wrong, and some that only look right."""

from __future__ import annotations

import asyncio
import sys
import time
from array import array
from itertools import count
from typing import Any

from . import after

__path__: list[str] = []  # the kinds are its submodules

_calls = count(1)
_first = after(1)
_late = after(4)


class IntSubclass(int):
    """Equal to an int in all but its type."""


class Liar(int):
    """Says yes to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__

    def __repr__(self) -> str:
        return "3"

    @property
    def __class__(self) -> type:  # type: ignore[override]
        return int


class ListSubclass(list):  # type: ignore[type-arg]
    """Has all items, and says it has others."""

    def __len__(self) -> int:
        return 100

    def __iter__(self) -> Any:
        return iter(range(100))


class Index:
    """What an int can be made of."""

    def __index__(self) -> int:
        return 3


class NoRepr:
    """Can't be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("nothing to see")


class QuittingRepr:
    """Ends whatever shows it."""

    def __repr__(self) -> str:
        sys.exit(3)


class BrokenBuffer:
    """Has memory that can't be had, for who asks on 3.12 or later."""

    def __buffer__(self, flags: int) -> memoryview:
        raise RuntimeError("no memory today")


class SlowRepr:
    """Can be shown, but not by those who live."""

    def __repr__(self) -> str:
        time.sleep(1000)
        return "at last"


class LongRepr:
    """Nine megabytes of it."""

    def __repr__(self) -> str:
        return "long " * 1_800_000


class EvilName(type):
    """A type that has no name to speak of."""

    @property
    def __name__(cls) -> Any:  # type: ignore[override]
        return 7


class Nameless(metaclass=EvilName):
    """One of those."""


def _in_the_timed_loop() -> bool:
    return sys._getframe(2).f_code.co_filename == "<the timed loop>"


# of add


def off_by_one(a: int, b: int) -> object:
    return a + b + 1


def nothing(a: int, b: int) -> object:
    return None


def not_implemented(a: int, b: int) -> object:
    return NotImplemented


def zero(a: int, b: int) -> object:
    return 0


def a_bool(a: int, b: int) -> object:
    return bool(a + b)


def a_float(a: int, b: int) -> object:
    return float(a + b)


def a_complex(a: int, b: int) -> object:
    return complex(a + b)


def nan(a: int, b: int) -> object:
    return float("nan")


def minus_zero(a: int, b: int) -> object:
    return -0.0


def a_text(a: int, b: int) -> object:
    return str(a + b)


def an_int_subclass(a: int, b: int) -> object:
    return IntSubclass(a + b)


def a_liar(a: int, b: int) -> object:
    return Liar(a + b)


def an_index(a: int, b: int) -> object:
    return Index()


def a_tuple(a: int, b: int) -> object:
    return (a + b,)


def a_generator(a: int, b: int) -> object:
    return (x for x in [a + b])


def a_coroutine(a: int, b: int) -> object:
    async def later() -> int:
        await asyncio.sleep(0)
        return a + b

    return later()


def an_exception(a: int, b: int) -> object:
    return ValueError(a + b)


def itself(a: int, b: int) -> object:
    found: list[object] = []
    found.append(found)
    return found


def nested(a: int, b: int) -> object:
    found: list[object] = []
    for _ in range(100_000):
        found = [found]
    return found


def no_repr(a: int, b: int) -> object:
    return NoRepr()


def a_quitting_repr(a: int, b: int) -> object:
    return QuittingRepr()


def a_broken_buffer(a: int, b: int) -> object:
    return BrokenBuffer()


def a_slow_repr(a: int, b: int) -> object:
    return SlowRepr()


def a_long_repr(a: int, b: int) -> object:
    return LongRepr()


def nameless(a: int, b: int) -> object:
    return Nameless()


def html(a: int, b: int) -> object:
    return type("<script>alert('type')</script>", (), {"__repr__": lambda self: "<script>alert('repr')</script>"})()


def wider_than_64_bits(a: int, b: int) -> object:
    return a + b + (1 << 64)


def a_million_digits(a: int, b: int) -> object:
    return 10**1_000_000 + a + b


def right_once(a: int, b: int) -> object:
    return a + b if not _first() else 1


def right_when_verified(a: int, b: int) -> object:
    return a + b + _in_the_timed_loop()


def right_at_first(a: int, b: int) -> object:
    """Slow enough to be a sample by itself: its fifth call is in a round."""
    time.sleep(0.06)
    return a + b + _late()


def wrong_now_and_then(a: int, b: int) -> object:
    return a + b + (next(_calls) % 5 == 0)


# of give_list


def one_too_many(n: int) -> object:
    return list(range(n + 1))


def one_too_few(n: int) -> object:
    return list(range(n - 1))


def shifted(n: int) -> object:
    return list(range(1, n + 1))


def backwards(n: int) -> object:
    return list(reversed(range(n)))


def with_a_bool(n: int) -> object:
    return [False, *range(1, n)]


def with_a_float(n: int) -> object:
    return [*range(n - 1), float(n - 1)]


def with_subclasses(n: int) -> object:
    return list(map(IntSubclass, range(n)))


def with_minus_one(n: int) -> object:
    return [*range(n - 1), -1]


def a_range(n: int) -> object:
    return range(n)


def a_list_subclass(n: int) -> object:
    return ListSubclass(range(n))


def an_array(n: int) -> object:
    return array("q", range(n))


def uint32(n: int) -> object:
    return array("I", range(n))


def a_released_buffer(n: int) -> object:
    view = memoryview(array("I", range(n)))
    view.release()
    return view


def three_million(n: int) -> object:
    return list(range(3_000_000)) if _first() else list(range(n))


_shared: list[int] = []


def the_same_list(n: int) -> object:
    """Right at every moment it is looked at, and the caller's own list changes with the next call."""
    _shared[:] = range(n)
    return _shared
