"""The edges of the contract, one small table: what every lane refuses, and how; what it must still accept.

A lane may leave out checks that its manifest names under `unchecked`. It is excused from those rows, here and in `inside`, where
arguments are that the protocol does not carry. `test_declared_unchecked_is_unchecked` makes sure that it does fall short of one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable

from arguments import (
    NONE,
    Argument,
    boolean,
    buffer,
    data,
    fixed,
    float64,
    floating,
    function,
    integer,
    listed,
    matrix,
    mutable_data,
    numbers,
    text,
)
from bpe_reference import encode
from lanes import raised
from reference import integers

Answer = dict[str, Any]
HUGE = 10**400
BEYOND = 2**63


@dataclass(frozen=True, repr=False)
class Check:
    """A call at the edge of the contract and what may come of it."""

    operation: str
    name: str
    arguments: tuple[Argument, ...]
    expected: str
    holds: Callable[[Answer], bool]
    form: str | None = None
    """Only for lanes that take this form of input."""
    in_python: bool = False
    """Only for lanes in Python: nobody else can be given such arguments."""

    def __repr__(self) -> str:
        return f"{self.operation}({self.name})"


def refuses(
    operation: str, name: str, *arguments: Argument, kind: str, form: str | None = None, in_python: bool = False
) -> Check:
    """The call raises an exception of this type, or one derived from it."""
    return Check(operation, name, arguments, kind, lambda answer: raised(answer, kind), form, in_python)


def gives(operation: str, name: str, *arguments: Argument, answer: Answer, form: str | None = None) -> Check:
    """The call returns."""
    return Check(operation, name, arguments, str(answer), lambda given: given == answer, form)


def not_finite(operation: str, name: str, items: list[Any], right: float | None = None) -> Check:
    """The call returns inf or nan; or what is right, where that is finite."""

    def holds(answer: Answer) -> bool:
        given = float(answer.get("float", "0"))
        return not math.isfinite(given) or ("float" in answer and given == right)

    wanted = "inf or nan" if right is None else f"inf, nan or {right!r}"
    return Check(operation, name, (numbers(items),), wanted, holds, "boxed")


def exact_or_overflow(operation: str, name: str, *arguments: Argument, exact: int) -> Check:
    """The call returns an exact `int`, or refuses what does not fit."""
    return Check(
        operation,
        name,
        arguments,
        f"{exact} or OverflowError",
        lambda answer: answer == {"integer": str(exact)} or raised(answer, "OverflowError"),
    )


def _refused_as_too_many(answer: Answer) -> bool:
    return raised(answer, "OverflowError", "MemoryError")


def _call() -> list[Check]:
    one, two = integer(1), integer(2)
    odd = {"a str": text("1"), "None": NONE, "a float": floating(1.5)}
    return [
        *(refuses("call.add", f"{name} first", item, one, kind="TypeError") for name, item in odd.items()),
        *(refuses("call.add", f"{name} second", one, item, kind="TypeError") for name, item in odd.items()),
        exact_or_overflow("call.add", "2**63", integer(BEYOND), one, exact=BEYOND + 1),
        exact_or_overflow("call.add", "1 and 2**64", one, integer(2**64), exact=2**64 + 1),
        exact_or_overflow("call.add", "-2**63 - 1", integer(-BEYOND - 1), two, exact=-BEYOND + 1),
        exact_or_overflow("call.add", "10**400", integer(HUGE), one, exact=HUGE + 1),
        exact_or_overflow("call.add", "2**63 - 1 and 1", integer(BEYOND - 1), one, exact=BEYOND),
        exact_or_overflow("call.add", "2**62 twice", integer(2**62), integer(2**62), exact=BEYOND),
        exact_or_overflow("call.add", "-2**63 twice", integer(-BEYOND), integer(-BEYOND), exact=-2 * BEYOND),
        exact_or_overflow("call.add", "-2**63 and -1", integer(-BEYOND), integer(-1), exact=-BEYOND - 1),
        gives("call.add", "a bool", boolean(True), two, answer={"integer": "3"}),
        gives("call.length", "a bytearray", mutable_data(b"a\0b"), answer={"integer": "3"}),
        gives("call.length", "a bytearray's memoryview", buffer(b"a\0b", readonly=False), answer={"integer": "3"}),
        gives("call.length", "a read-only memoryview", buffer(b"a\0b"), answer={"integer": "3"}),
        gives("call.length", "an empty memoryview", buffer(b""), answer={"integer": "0"}),
        gives("call.length", "a memoryview of float64", buffer(bytes(16), "d"), answer={"integer": "16"}),
        gives("call.length", "a memoryview of two dimensions", matrix(bytes(16), "d", rows=2), answer={"integer": "16"}),
        refuses("call.length", "a non-contiguous buffer", buffer(b"abcd", step=2), kind="BufferError"),
        refuses("call.length", "a reversed buffer", buffer(b"abcd", step=-1), kind="BufferError"),
        *(
            refuses("call.length", name, item, kind="TypeError")
            for name, item in {"a str": text("abc"), "None": NONE, "a list": listed(one, two), "an int": one}.items()
        ),
        *(
            refuses("call.take_list", name, item, kind="TypeError")
            for name, item in {
                "None": NONE,
                "an int": one,
                "a str": text("12"),
                "a bytes": data(b"12"),
                "a tuple": fixed(one),
            }.items()
        ),
        *(
            refuses("call.take_list", f"a list with {name}", listed(one, item, two), kind="TypeError")
            for name, item in odd.items()
        ),
        exact_or_overflow("call.take_list", "2**63 in the list", listed(one, integer(BEYOND)), exact=BEYOND + 1),
        exact_or_overflow("call.take_list", "-2**64 in the list", listed(integer(-(2**64)), one), exact=1 - 2**64),
        exact_or_overflow("call.take_list", "2**62 twice", listed(integer(2**62), integer(2**62)), exact=BEYOND),
        exact_or_overflow("call.take_list", "-2**63 and -1", listed(integer(-BEYOND), integer(-1)), exact=-BEYOND - 1),
        exact_or_overflow("call.take_list", "2**62 four times", listed(*[integer(2**62)] * 4), exact=2**64),
        gives(
            "call.take_list",
            "a sum that leaves 64 bits and comes back",
            listed(integer(BEYOND - 1), one, integer(-1)),
            answer=integer(BEYOND - 1),
        ),
        *(refuses("call.give_list", str(n), integer(n), kind="ValueError") for n in (-1, -BEYOND, -(2**64))),
        *(
            Check("call.give_list", name, (integer(n),), "OverflowError or MemoryError", _refused_as_too_many)
            for name, n in {"2**62": 2**62, "2**63 - 1": BEYOND - 1, "2**64 + 1": 2**64 + 1, "10**400": HUGE}.items()
        ),
        *(refuses("call.give_list", name, item, kind="TypeError") for name, item in odd.items()),
        refuses("call.call_back", "a function that returns a str", function("return_text"), two, kind="TypeError"),
        refuses("call.call_back", "an int for a function", one, two, kind="TypeError"),
        refuses("call.call_back", "None for a function", NONE, two, kind="TypeError"),
        Check(
            "call.call_back",
            "a function that raises",
            (function("raise_at_three"), integer(6)),
            "KeyError: 3, and no call after it",
            lambda answer: answer.get("raised", {}).get("type") == "KeyError" and answer["raised"]["message"] == "3",
        ),
    ]


def _kmp() -> list[Check]:
    ab = data(b"ab")
    find = "kmp.find_all"
    return [
        *(
            refuses(find, f"{name} for a text", item, ab, kind="TypeError")
            for name, item in {"a str": text("abab"), "None": NONE, "an int": integer(4), "a list": listed(integer(97))}.items()
        ),
        *(
            refuses(find, f"{name} for a pattern", data(b"abab"), item, kind="TypeError", form="bytes")
            for name, item in {"a str": text("ab"), "None": NONE, "an int": integer(0)}.items()
        ),
        refuses(find, "an empty pattern", data(b"abab"), data(b""), kind="ValueError", form="bytes"),
        refuses(find, "an empty pattern in an empty text", data(b""), data(b""), kind="ValueError", form="bytes"),
        refuses(find, "an empty pattern in a buffer", buffer(b"abab"), data(b""), kind="ValueError", form="buffer"),
        gives(find, "a bytearray", mutable_data(b"aba"), data(b"a"), answer=integers([0, 2]), form="buffer"),
        refuses(find, "a non-contiguous buffer", buffer(b"abababab", step=2), ab, kind="BufferError", form="buffer"),
        refuses(find, "a reversed buffer", buffer(b"abababab", step=-1), ab, kind="BufferError", form="buffer"),
        refuses(find, "a bytes that is not mapped", data(b"abab"), ab, kind="TypeError", form="mapped"),
    ]


def _std(operation: str) -> list[Check]:
    memory = float64([1.0, 2.0, 3.0, 4.0])
    return [
        refuses(operation, "an empty list", listed(), kind="ValueError", form="boxed"),
        refuses(operation, "an empty buffer", buffer(b"", "d"), kind="ValueError", form="buffer"),
        *(
            refuses(operation, f"a list with {name}", listed(integer(1), item, floating(2.5)), kind="TypeError", form="boxed")
            for name, item in {"a str": text("3"), "None": NONE, "a bytes": data(b"3"), "a list": listed(integer(3))}.items()
        ),
        refuses(operation, "a list of one str", listed(text("3")), kind="TypeError", form="boxed"),
        refuses(operation, "a list ending in None", listed(integer(1), NONE), kind="TypeError", form="boxed"),
        refuses(operation, "a list with 10**400", listed(integer(HUGE), integer(1)), kind="OverflowError", form="boxed"),
        *(
            refuses(operation, name, item, kind="TypeError")
            for name, item in {
                "a str": text("123"),
                "None": NONE,
                "a bytes": data(memory),
                "an int": integer(3),
                "a tuple": fixed(integer(3)),
            }.items()
        ),
        *(
            refuses(operation, f"a buffer of format {format}", buffer(memory, format), kind="TypeError", form="buffer")
            for format in ("B", "q", "f")
        ),
        refuses(operation, "a non-contiguous buffer", buffer(memory, "d", step=2), kind="BufferError", form="buffer"),
        refuses(operation, "a buffer in the other byte order", buffer(memory, ">d"), kind="TypeError", form="buffer"),
        refuses(operation, "a buffer of two dimensions", matrix(memory, "d", rows=2), kind="TypeError", form="buffer"),
        refuses(operation, "a reversed buffer", buffer(memory, "d", step=-1), kind="BufferError", form="buffer"),
        refuses(operation, "a list that is not mapped", numbers([1.0, 2.0]), kind="TypeError", form="mapped"),
    ]


def _bpe(operation: str) -> list[Check]:
    odd = {
        "None": NONE,
        "an int": integer(97),
        "a float": floating(1.5),
        "a bytes": data(b"abc"),
        "an empty bytes": data(b""),
        "a bytearray": mutable_data(b"abc"),
        "a buffer": buffer(b"abc"),
        "a list of str": listed(text("abc")),
        "a tuple of str": fixed(text("abc")),
    }
    lone_surrogates = {
        "alone": "\ud800",
        "the last there is": "\udfff",
        "between letters": "a\udc00b",
        "in the wrong order": "\ude00\ud83d",
        "at the end of a long text": "word " * 20_000 + "\ud800",
        "at the start of a long text": "\ud800" + " word" * 20_000,
    }
    return [
        *(refuses(operation, f"{name} for a text", item, kind="TypeError") for name, item in odd.items()),
        *(
            refuses(operation, f"a lone surrogate {name}", text(string), kind="UnicodeEncodeError", form="text", in_python=True)
            for name, string in lone_surrogates.items()
        ),
        refuses(operation, "a str that is not mapped", text("abc"), kind="TypeError", form="mapped"),
        _newest_letter(operation),
    ]


def _newest_letter(operation: str) -> Check:
    """After a letter 's is a contraction; after a code point that is no letter yet, the apostrophe goes with that."""
    string = "\U00010940's"
    kind = "uint32" if operation.endswith("buffer") else "integers"
    return Check(
        operation,
        "a letter of Unicode 17",
        (text(string),),
        "the tokens of tiktoken",
        lambda answer: answer == integers(encode(string), kind=kind),
        "text",
    )


def _bools() -> list[Check]:
    """A bool is an int."""
    items = listed(boolean(True), boolean(False), integer(2))
    return [
        gives("std.sum", "bools among ints", items, answer={"float": "3.0"}, form="boxed"),
        gives("std.mean", "bools among ints", items, answer={"float": "1.0"}, form="boxed"),
    ]


def _overflowing() -> list[Check]:
    """What is too large becomes infinite; it is no error."""
    huge = [1e308] * 5
    sums = {"std.sum": math.inf, "std.mean": 1e308}
    turning = {"std.sum": 0.0, "std.mean": 0.0}
    return [
        *(not_finite(operation, "squares beyond 1e308", [1e200, -1e200]) for operation in ("std.var", "std.std")),
        *(not_finite(operation, "a sum beyond 1e308", huge, right) for operation, right in sums.items()),
        *(not_finite(operation, "a sum beyond 1e308", huge, 0.0) for operation in ("std.var", "std.std")),
        *(not_finite(operation, "ints whose sum is beyond 1e308", [10**308] * 2, right) for operation, right in sums.items()),
        *(
            not_finite(operation, "a sum that leaves the floats and comes back", [1e308, 1e308, -1e308, -1e308], right)
            for operation, right in turning.items()
        ),
    ]


CHECKS = [
    *_call(),
    *_kmp(),
    *(check for operation in ("std.sum", "std.mean", "std.var", "std.std") for check in _std(operation)),
    *(check for operation in ("bpe.encode", "bpe.encode_buffer") for check in _bpe(operation)),
    *_bools(),
    *_overflowing(),
]
