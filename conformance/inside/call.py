"""`call`: ints by any other name, buffers of any kind, lists that change, callbacks that misbehave."""

from __future__ import annotations

import ctypes
import signal
from array import array
from decimal import Decimal
from fractions import Fraction
from typing import Any

from . import changing
from .check import Check, Operation, counts_arguments, described, gives, refuses, starves
from .objects import (
    ExportingBytes,
    FailingIndex,
    Index,
    IntSubclass,
    LyingBytearray,
    LyingBytes,
    LyingList,
    OnlyInt,
    Pair,
    Problem,
    Real,
    unaligned,
)

NO_INTS: dict[str, Any] = {
    "a Decimal": Decimal(1),
    "a Fraction": Fraction(1),
    "a complex": 1j,
    "an object with __int__ alone": OnlyInt(),
    "an object with __float__ alone": Real(1.0),
}


def _identity(i: int) -> int:
    return i


def _add() -> list[Check]:
    add = "call.add"
    return [
        *counts_arguments(add, lambda: (1, 2)),
        gives(add, "a subclass of int", lambda: (IntSubclass(1), 2), 3),
        gives(add, "an object with __index__", lambda: (Index(1), Index(2)), 3),
        refuses(add, "an __index__ that raises", lambda: (FailingIndex(), 2), Problem),
        refuses(add, "an __index__ of 2**63", lambda: (Index(2**63), 2), OverflowError, exact=2**63 + 2),
        *(refuses(add, name, lambda item=item: (1, item), TypeError) for name, item in NO_INTS.items()),
        gives(add, "a NumPy int64", lambda: (_numpy().int64(1), 2), 3, numpy=True),
        refuses(add, "a NumPy float64", lambda: (_numpy().float64(1), 2), TypeError, numpy=True),
    ]


def _either_length(call: Operation) -> str | None:
    given = call(ExportingBytes(b"abcdef"))
    return None if given in (3, 6) else f"expected 6, or what __buffer__ gives, got {given!r}"


def _length() -> list[Check]:
    length = "call.length"
    return [
        *counts_arguments(length, lambda: (b"abc",)),
        gives(length, "a bytes that lies", lambda: (LyingBytes(b"abc"),), 3),
        gives(length, "a bytearray that lies", lambda: (LyingBytearray(b"abc"),), 3),
        gives(length, "an array of float64", lambda: (array("d", [1, 2]),), 16),
        gives(length, "an empty array", lambda: (array("i"),), 0),
        gives(length, "two dimensions", lambda: (memoryview(bytes(24)).cast("i", (3, 2)),), 24),
        gives(length, "no dimension", lambda: (memoryview(bytes(8)).cast("d", ()),), 8),
        gives(length, "a ctypes array", lambda: ((ctypes.c_int * 3)(),), 3 * ctypes.sizeof(ctypes.c_int)),
        gives(length, "a ctypes number", lambda: (ctypes.c_double(1.0),), 8),
        gives(length, "a ctypes array of structures", lambda: ((Pair * 2)(),), 32),
        gives(length, "an unaligned view", lambda: (unaligned(bytes(16)).cast("d"),), 16),
        Check(length, "a bytes with a __buffer__", _either_length),
        refuses(length, "an empty reversed buffer", lambda: (memoryview(b"")[::-1],), BufferError, exact=0),
        refuses(length, "every other byte", lambda: (memoryview(b"abcd")[::2],), BufferError),
        gives(length, "a NumPy matrix", lambda: (_numpy().zeros((2, 3)),), 48, numpy=True),
        gives(length, "a NumPy array of records", lambda: (_numpy().zeros(2, "i4,f8"),), 24, numpy=True),
        gives(length, "a NumPy array of dates", lambda: (_numpy().zeros(3, "M8[s]"),), 24, numpy=True),
        gives(length, "a NumPy array of no dimension", lambda: (_numpy().array(1.0),), 8, numpy=True),
        refuses(length, "every other item of a NumPy array", lambda: (_numpy().zeros(6)[::2],), BufferError, numpy=True),
        refuses(length, "a NumPy matrix by columns", lambda: (_numpy().zeros((2, 3), order="F"),), BufferError, numpy=True),
    ]


def _take_list() -> list[Check]:
    take = "call.take_list"
    return [
        *counts_arguments(take, lambda: ([1],)),
        gives(take, "a list that lies", lambda: (LyingList([1, 2]),), 3),
        gives(take, "an empty list that lies", lambda: (LyingList(),), 0),
        gives(take, "a subclass of int", lambda: ([IntSubclass(1), True, 3],), 5),
        gives(take, "an object with __index__", lambda: ([1, Index(2)],), 3),
        refuses(take, "an __index__ that raises", lambda: ([1, FailingIndex(), 2],), Problem),
        refuses(take, "an __index__ of 2**63", lambda: ([1, Index(2**63)],), OverflowError, exact=2**63 + 1),
        *(refuses(take, name, lambda item=item: ([1, item],), TypeError) for name, item in NO_INTS.items()),
        gives(take, "a NumPy int64", lambda: ([_numpy().int64(1), 2],), 3, numpy=True),
        refuses(take, "a NumPy float64", lambda: ([_numpy().float64(1), 2],), TypeError, numpy=True),
        *changing.checks(take, 1),
    ]


def _give_list() -> list[Check]:
    give = "call.give_list"
    return [
        *counts_arguments(give, lambda: (1,)),
        gives(give, "a subclass of int", lambda: (IntSubclass(2),), [0, 1]),
        gives(give, "a bool", lambda: (True,), [0]),
        gives(give, "an object with __index__", lambda: (Index(2),), [0, 1]),
        refuses(give, "an __index__ that raises", lambda: (FailingIndex(),), Problem),
        *(refuses(give, name, lambda item=item: (item,), TypeError) for name, item in NO_INTS.items()),
        gives(give, "a NumPy int64", lambda: (_numpy().int64(2),), [0, 1], numpy=True),
        starves(give, "more than memory holds", lambda: (1,), lambda: (1_000_000,), 1_000_000),
    ]


class _Recorder:
    """A function that knows what it was called with, and returns or raises what it is told."""

    def __init__(self, *answers: Any) -> None:
        self.calls: list[int] = []
        self.answers = answers

    def __call__(self, i: int) -> Any:
        self.calls.append(i)
        answer = self.answers[i] if i < len(self.answers) else i
        if isinstance(answer, BaseException):
            raise answer
        return answer


def _calls(name: str, n: Any, calls: list[int], *answers: Any) -> Check:
    """f is called with these arguments; what it raises comes out, the same object, or its answers are summed up."""

    def complaint(call: Operation) -> str | None:
        function = _Recorder(*answers)
        wanted = answers[-1] if answers and isinstance(answers[-1], BaseException) else None
        try:
            given = call(function, n)
        except BaseException as error:
            if error is not wanted:
                return f"unexpected {described(error)}"
        else:
            total = sum(int(function.answers[i]) if i < len(function.answers) else i for i in calls)
            if wanted is not None or type(given) is not int or given != total:
                return f"expected {wanted or total!r}, got {given!r}"
        exact = function.calls == calls and all(type(i) is int for i in function.calls)
        return None if exact else f"f was called with {function.calls}, not with {calls}"

    return Check("call.call_back", name, complaint)


def _raise_problem(_i: int) -> int:
    raise Problem("called")


def _interrupted(call: Operation) -> str | None:
    """What a signal's handler raises comes out, wherever in a step it strikes; as Ctrl-C does."""

    def interrupt(*_: Any) -> None:
        raise Problem("interrupted")

    usual = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(200):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.001)
                given = call(lambda i: 1, 10_000_000)
            except Problem:
                continue
            return f"the exception was lost, and the answer is {given!r}"
    finally:
        signal.signal(signal.SIGALRM, usual)
    return None


def _call_back() -> list[Check]:
    back = "call.call_back"
    return [
        Check(back, "a signal whose handler raises", _interrupted),
        *counts_arguments(back, lambda: (_identity, 2)),
        _calls("an object that can be called", 3, [0, 1, 2]),
        _calls("a function that raises StopIteration", 3, [0, 1], 0, StopIteration(1)),
        _calls("a function that raises KeyboardInterrupt", 3, [0], KeyboardInterrupt()),
        _calls("a function that raises GeneratorExit", 3, [0], GeneratorExit()),
        _calls("a function that returns bools", 2, [0, 1], True, True),
        _calls("a function that returns a subclass of int", 2, [0, 1], IntSubclass(2), IntSubclass(3)),
        gives(back, "a function that returns an object with __index__", lambda: (lambda i: Index(2), 2), 4),
        refuses(back, "a function that returns a failing __index__", lambda: (lambda i: FailingIndex(), 2), Problem),
        refuses(back, "a function that returns a float", lambda: (float, 2), TypeError),
        refuses(back, "a function that returns None", lambda: (lambda i: None, 2), TypeError),
        refuses(back, "a function that returns 2**63", lambda: (lambda i: 2**63, 1), OverflowError, exact=2**63),
        refuses(back, "a function that returns -2**64", lambda: (lambda i: -(2**64), 1), OverflowError, exact=-(2**64)),
        refuses(back, "a sum of 2**63", lambda: (lambda i: 2**62, 2), OverflowError, exact=2**63),
        refuses(back, "a sum of -2**64", lambda: (lambda i: -(2**63), 2), OverflowError, exact=-(2**64)),
        gives(back, "a sum that leaves 64 bits and comes back", lambda: ([2**63 - 1, 1, -1].__getitem__, 3), 2**63 - 1),
        refuses(back, "None, no times", lambda: (None, 0), TypeError),
        refuses(back, "None, -1 times", lambda: (None, -1), TypeError),
        gives(back, "-2**64 times", lambda: (_identity, -(2**64)), 0),
        refuses(back, "2**64 + 2 times", lambda: (_raise_problem, 2**64 + 2), OverflowError),
        refuses(back, "10**400 times", lambda: (_raise_problem, 10**400), OverflowError),
        gives(back, "an __index__ of times", lambda: (_identity, Index(3)), 3),
        refuses(back, "a float of times", lambda: (_identity, 3.0), TypeError),
        refuses(back, "None of times", lambda: (_identity, None), TypeError),
    ]


def _numpy() -> Any:
    import numpy

    return numpy


CHECKS = [
    *counts_arguments("call.noop", lambda: ()),
    *counts_arguments("call.fail", lambda: ()),
    *_add(),
    *_length(),
    *_take_list(),
    *_give_list(),
    *_call_back(),
]
