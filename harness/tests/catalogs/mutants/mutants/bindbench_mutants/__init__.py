"""Lanes that are wrong, each in a way of its own and in every operation that it has. `strategy.toml` says what it lacks, and why.

Each function below makes a mutant of one right operation, or returns None where there is no such mutant of it. The modules are
made of them when this package is imported.
"""

from __future__ import annotations

import struct
import sys
from array import array
from itertools import count
from types import ModuleType
from typing import Any, Callable

from .right import OPERATIONS

Operation = Callable[..., Any]

LISTS = ("give_list", "find_all", "encode", "encode_buffer")
"""Operations that return several items."""

SEQUENCES = ("take_list", "sum", "mean", "var", "std", "length")
"""Operations that make one number of several items."""

WITHOUT_ANSWER = ("noop", "fail")


def nothing(name: str, right: Operation) -> Operation | None:
    """Returns None."""
    return None if name == "noop" else lambda *_: None


def lazy(name: str, right: Operation) -> Operation | None:
    """Returns what is empty."""
    empty = {"encode_buffer": array("I"), **dict.fromkeys(("sum", "mean", "var", "std"), 0.0)}
    if name in WITHOUT_ANSWER:
        return None
    return lambda *_: [] if name in ("give_list", "find_all", "encode") else empty.get(name, 0)


def constant(name: str, right: Operation) -> Operation | None:
    """Has the right answer to the first input for all of them."""
    return _by_key(name, right, lambda *_: None)


def by_length(name: str, right: Operation) -> Operation | None:
    """Has the right answer to the first input of each length for all of that length."""
    if name in ("length", "give_list"):
        return None
    return _by_key(name, right, lambda *given: tuple(len(a) if hasattr(a, "__len__") else None for a in given))


def by_number(name: str, right: Operation) -> Operation | None:
    """Has the right answer to the first input with each number for all with that number, whatever function comes with it."""
    return _by_key(name, right, lambda f, n: n) if name == "call_back" else None


def _by_key(name: str, right: Operation, key: Operation) -> Operation | None:
    known: dict[Any, Any] = {}

    def mutant(*given: Any) -> Any:
        found = key(*given)
        if found not in known:
            known[found] = right(*given)
        return known[found]

    return None if name in WITHOUT_ANSWER else mutant


def once(name: str, right: Operation) -> Operation | None:
    """Is right at the first call, and returns what is empty from then on."""
    calls = count()
    empty = lazy(name, right)
    return empty and (lambda *given: empty() if next(calls) else right(*given))


def late(name: str, right: Operation) -> Operation | None:
    """Returns the answer to the input before."""
    before: list[Any] = []

    def mutant(*given: Any) -> Any:
        before.append(right(*given))
        return before.pop(0) if len(before) > 1 else before[0]

    return None if name in WITHOUT_ANSWER else mutant


def _part(name: str, right: Operation, cut: Callable[[Any], Any], numbers: Callable[[int], Any]) -> Operation | None:
    """Works on a part only: of the answer, or of the input, or of the numbers that a function is to be called with."""
    if name in LISTS:
        return lambda *given: cut(right(*given))
    if name in SEQUENCES:
        return lambda data: right(cut(data)) if len(cut(data)) else 0.0
    if name == "call_back":
        return lambda f, n: sum(f(i) for i in numbers(n))
    return None


def first(name: str, right: Operation) -> Operation | None:
    """Knows the first item only."""
    return _part(name, right, lambda items: items[:1], lambda n: range(min(n, 1))) or (name == "add" and (lambda a, b: a)) or None


def last(name: str, right: Operation) -> Operation | None:
    """Knows the last item only."""
    return _part(name, right, lambda items: items[-1:], lambda n: range(n - 1, n)) or (name == "add" and (lambda a, b: b)) or None


def but_first(name: str, right: Operation) -> Operation | None:
    """Leaves out the first item."""
    return _part(name, right, lambda items: items[1:], lambda n: range(1, n))


def but_last(name: str, right: Operation) -> Operation | None:
    """Leaves out the last item."""
    return _part(name, right, lambda items: items[:-1], lambda n: range(n - 1))


def half(name: str, right: Operation) -> Operation | None:
    """Leaves out the second half."""
    return _part(name, right, lambda items: items[: len(items) // 2], lambda n: range(n // 2))


def every_other(name: str, right: Operation) -> Operation | None:
    """Leaves out every other item."""
    return _part(name, right, lambda items: items[::2], lambda n: range(0, n, 2))


def backwards(name: str, right: Operation) -> Operation | None:
    """Goes from the last item to the first one, where that makes a difference."""
    return None if name in SEQUENCES else _part(name, right, lambda items: items[::-1], lambda n: reversed(range(n)))


def one_more(name: str, right: Operation) -> Operation | None:
    """Is off by one: an item too many, a call too many, a number too large."""
    if name in LISTS:
        return lambda *given: right(*given) + type(right(*given))(*_content(right(*given), [1 << 20]))
    if name == "call_back":
        return lambda f, n: sum(f(i) for i in range(n + 1))
    return _changed(name, right, lambda found: found + 1 if type(found) is int else found * (1 + 1e-8))


def _content(like: Any, items: list[int]) -> tuple[Any, ...]:
    return ("I", items) if isinstance(like, array) else (items,)


def shifted(name: str, right: Operation) -> Operation | None:
    """Is off by one: every item of the answer, or the answer."""
    if name in LISTS:
        return lambda *given: type(right(*given))(*_content(right(*given), [item + 1 for item in right(*given)]))
    return _changed(name, right, lambda found: found - 1 if type(found) is int else found * (1 - 1e-8))


def _changed(name: str, right: Operation, change: Callable[[Any], Any]) -> Operation | None:
    return None if name in WITHOUT_ANSWER else lambda *given: change(right(*given))


def of_another_type(name: str, right: Operation) -> Operation | None:
    """Is right, but for the type of the answer, or of the exception."""

    def mutant(*given: Any) -> Any:
        try:
            found = right(*given)
        except RuntimeError:
            raise ValueError("as asked") from None
        types: dict[type, Callable[[Any], Any]] = {int: float, float: str, list: tuple, array: list, type(None): bool}
        return types[type(found)](found)

    return mutant


class _LateList(list[int]):
    """Is filled when somebody wants to know what is in it."""

    def __init__(self, work: Callable[[], list[int]]) -> None:
        self._work = work

    def __iter__(self) -> Any:
        return iter(self._work())

    def __len__(self) -> int:
        return len(self._work())


class _LateBuffer:
    """Likewise. (Before Python 3.12 nobody asks.)"""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work

    def __buffer__(self, _flags: int) -> memoryview:
        return memoryview(self._work())


def when_asked(name: str, right: Operation) -> Operation | None:
    """Does the work when somebody looks at the answer."""
    kind = _LateBuffer if name == "encode_buffer" else _LateList
    return (lambda *given: kind(lambda: right(*given))) if name in LISTS else None


def apart(name: str, right: Operation) -> Operation | None:
    """Goes on behind a hit: what overlaps it is not found."""

    def find_all(text: bytes, pattern: bytes) -> list[int]:
        found, at = [], text.find(pattern)
        while at >= 0:
            found.append(at)
            at = text.find(pattern, at + len(pattern))
        return found

    return find_all if name == "find_all" else None


def forgetful(name: str, right: Operation) -> Operation | None:
    """Does not look at a symbol again that did not match, though a hit may begin there."""

    def find_all(text: bytes, pattern: bytes) -> list[int]:
        found, matched = [], 0
        for at, symbol in enumerate(text):
            matched = matched + 1 if symbol == pattern[matched] else 0
            if matched == len(pattern):
                found.append(at + 1 - len(pattern))
                matched = 0
        return found

    return find_all if name == "find_all" else None


def never_calls(name: str, right: Operation) -> Operation | None:
    """Knows what the function returns without calling it."""
    return (lambda f, n: n * (n - 1) // 2) if name == "call_back" else None


def calls_once(name: str, right: Operation) -> Operation | None:
    """Calls the function once, and takes the other answers from that one."""
    return (lambda f, n: f(n - 1) * n // 2 if n > 0 else 0) if name == "call_back" else None


def calls_twice(name: str, right: Operation) -> Operation | None:
    """Calls the function twice with each number, and adds the first answers."""
    return (lambda f, n: sum([f(i), f(i)][0] for i in range(n))) if name == "call_back" else None


def hears_nothing(name: str, right: Operation) -> Operation | None:
    """Calls the function, and adds what it was called with."""
    return (lambda f, n: sum([i, f(i)][0] for i in range(n))) if name == "call_back" else None


def single_precision(name: str, right: Operation) -> Operation | None:
    """Has the answer in a float of 32 bits on its way."""
    if name not in ("sum", "mean", "var", "std"):
        return None
    return lambda data: float(struct.unpack("f", struct.pack("f", right(data)))[0])


def of_a_sample(name: str, right: Operation) -> Operation | None:
    """Has the variance of a sample, not of the population."""
    factors = {"var": lambda n: n / (n - 1), "std": lambda n: (n / (n - 1)) ** 0.5}
    return (lambda data: right(data) * factors[name](len(data))) if name in factors else None


def by_the_ends(name: str, right: Operation) -> Operation | None:
    """Takes the items for an arithmetic progression, which its ends and its length tell all about."""
    if name not in ("take_list", "sum", "mean", "var", "std"):
        return None

    def mutant(data: Any) -> Any:
        n = len(data)
        step = (data[-1] - data[0]) / max(n - 1, 1)
        found = right([data[0] + step * i for i in range(n)])
        return int(found) if name == "take_list" else found

    return mutant


def by_bytes(name: str, right: Operation) -> Operation | None:
    """Has a token for each byte."""
    if name not in ("encode", "encode_buffer"):
        return None
    return lambda text: type(right(""))(*_content(right(""), list(text.encode())))


MUTATIONS = [
    nothing,
    lazy,
    constant,
    by_length,
    by_number,
    once,
    late,
    first,
    last,
    but_first,
    but_last,
    half,
    every_other,
    backwards,
    one_more,
    shifted,
    of_another_type,
    when_asked,
    apart,
    forgetful,
    never_calls,
    calls_once,
    calls_twice,
    hears_nothing,
    single_precision,
    of_a_sample,
    by_the_ends,
    by_bytes,
]

for _mutation in MUTATIONS:
    _module = ModuleType(f"{__name__}.{_mutation.__name__}", _mutation.__doc__)
    for _name, _right in OPERATIONS.items():
        if _mutant := _mutation(_name, _right):
            setattr(_module, _name, _mutant)
    sys.modules[_module.__name__] = _module
