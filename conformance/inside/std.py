"""`std`: items that have a value as a float, buffers of float64 by any other name, lists that change."""

from __future__ import annotations

import ctypes
from array import array
from decimal import Decimal
from fractions import Fraction
from typing import Any, Callable

from . import changing
from .check import Check, Operation, counts_arguments, gives, refuses
from .objects import (
    FailingIndex,
    FailingReal,
    FloatSubclass,
    Index,
    IntSubclass,
    LyingBytes,
    LyingList,
    OnlyInt,
    Pair,
    Problem,
    Real,
    unaligned,
)

ANSWERS = {"std.sum": 6.0, "std.mean": 1.5, "std.var": 1.25, "std.std": 1.25**0.5}
"""Of 0, 1, 2 and 3, without an error of rounding whatever the order."""

HALF = (5.0, 2.5, 2.25, 1.5)
"""Of 1 and 4."""


def _float64() -> array[float]:
    return array("d", [0, 1, 2, 3])


def _numpy() -> Any:
    import numpy

    return numpy


LISTS: dict[str, Callable[[], list[Any]]] = {
    "a list that lies": lambda: LyingList([0.0, 1.0, 2.0, 3.0]),
    "items with __float__": lambda: [Real(0.0), 1.0, Real(2.0), Real(3.0)],
    "items with __index__": lambda: [Index(0), 1.0, Index(2), Index(3)],
    "Decimals": lambda: [Decimal(0), Decimal(1), Decimal(2), Decimal(3)],
    "Fractions": lambda: [Fraction(0), Fraction(1), Fraction(2), Fraction(3)],
    "bools": lambda: [False, True, 2, 3.0],
    "subclasses": lambda: [FloatSubclass(0.0), IntSubclass(1), IntSubclass(2), FloatSubclass(3.0)],
}

NUMPY_LISTS: dict[str, Callable[[], list[Any]]] = {
    "NumPy float32s": lambda: [_numpy().float32(i) for i in range(4)],
    "NumPy float64s": lambda: [_numpy().float64(i) for i in range(4)],
    "NumPy int64s": lambda: [_numpy().int64(i) for i in range(4)],
    "NumPy uint64s and a float": lambda: [*map(_numpy().uint64, range(3)), 3.0],
    "NumPy arrays of no dimension": lambda: [_numpy().array(float(i)) for i in range(4)],
}

BUFFERS: dict[str, Callable[[], Any]] = {
    "an array": _float64,
    "a memoryview": lambda: memoryview(_float64()),
    "a ctypes array": lambda: (ctypes.c_double * 4)(0, 1, 2, 3),
    "a read-only view": lambda: memoryview(_float64().tobytes()).cast("d"),
    "an unaligned view": lambda: unaligned(_float64().tobytes()).cast("d"),
    "a slice of a memoryview": lambda: memoryview(array("d", [9, 0, 1, 2, 3, 9]))[1:5],
}

NUMPY_BUFFERS: dict[str, Callable[[], Any]] = {
    "a NumPy array": lambda: _numpy().arange(4.0),
    "a read-only NumPy array": lambda: _numpy().frombuffer(_float64().tobytes()),
    "an unaligned NumPy array": lambda: _numpy().frombuffer(unaligned(_float64().tobytes())),
    "a row of a NumPy matrix": lambda: _numpy().arange(8.0).reshape(2, 4)[0],
}

REFUSED_ITEMS: dict[str, Any] = {
    "a complex": 1j,
    "a tuple": (1.0,),
    "an object": object(),
    "an object with __int__ alone": OnlyInt(),
    "a bytearray": bytearray(b"1"),
}

REFUSED_BUFFERS: dict[str, Callable[[], Any]] = {
    "a bytes that lies": lambda: LyingBytes(16),
    "a bytearray": lambda: bytearray(16),
    "an array of float32": lambda: array("f", [1, 2]),
    "an array of int64": lambda: array("q", [1, 2]),
    "a memoryview of no dimension": lambda: memoryview(bytes(8)).cast("d", ()),
    "a memoryview of two dimensions": lambda: memoryview(_float64()).cast("B").cast("d", (2, 2)),
    "a memoryview of one row": lambda: memoryview(_float64()).cast("B").cast("d", (1, 4)),
    "a ctypes number": lambda: ctypes.c_double(1.0),
    "a ctypes array of int64": lambda: (ctypes.c_int64 * 2)(1, 2),
    "a ctypes array of float32": lambda: (ctypes.c_float * 2)(1, 2),
    "a ctypes array of structures": lambda: (Pair * 2)(),
    "a ctypes matrix": lambda: ((ctypes.c_double * 2) * 2)(),
    "a set": lambda: {1.0, 2.0},
    "a generator": lambda: (x for x in (1.0, 2.0)),
    "a range": lambda: range(3),
}

REFUSED_NUMPY: dict[str, Callable[[], Any]] = {
    "a NumPy matrix": lambda: _numpy().zeros((2, 2)),
    "a NumPy array of no dimension": lambda: _numpy().array(1.0),
    "a NumPy array of float32": lambda: _numpy().zeros(2, "f4"),
    "a NumPy array of int64": lambda: _numpy().zeros(2, "i8"),
    "a NumPy array in the other byte order": lambda: _numpy().zeros(2, _numpy().dtype("f8").newbyteorder()),
    "a NumPy array of records": lambda: _numpy().zeros(2, [("x", "f8")]),
    "a NumPy float64": lambda: _numpy().float64(1.0),
}


class OtherFloat(int):
    """Holds 1 and gives 4."""

    def __float__(self) -> float:
        return 4.0


def _either_float(call: Operation, place: int) -> str | None:
    """Whichever it is taken for, of one item in all passes."""
    given = call([OtherFloat(1), 1.0])
    right = [(2.0, 5.0), (1.0, 2.5), (0.0, 2.25), (0.0, 1.5)][place]
    return None if given in right else f"expected one of {right}, got {given!r}"


def _of(operation: str, place: int) -> list[Check]:
    answer = ANSWERS[operation]

    def all_give(kinds: dict[str, Callable[[], Any]], form: str, numpy: bool = False) -> list[Check]:
        return [gives(operation, name, lambda kind=kind: (kind(),), answer, form, numpy) for name, kind in kinds.items()]

    def all_refuse(kinds: dict[str, Callable[[], Any]], numpy: bool = False) -> list[Check]:
        return [
            refuses(operation, name, lambda kind=kind: (kind(),), TypeError, form="buffer", numpy=numpy)
            for name, kind in kinds.items()
        ]

    def item(name: str, *items: Any, kind: type[Exception]) -> Check:
        return refuses(operation, name, lambda: (list(items),), kind, form="boxed")

    return [
        *counts_arguments(operation, lambda: ([1.0, 2.0],), "boxed"),
        *all_give(LISTS, "boxed"),
        *all_give(NUMPY_LISTS, "boxed", numpy=True),
        *all_give(BUFFERS, "buffer"),
        *all_give(NUMPY_BUFFERS, "buffer", numpy=True),
        gives(operation, "two items with __float__", lambda: ([Real(1.0), Real(4.0)],), HALF[place], "boxed"),
        refuses(operation, "an empty list that lies", lambda: (LyingList(),), ValueError, form="boxed"),
        refuses(operation, "an empty array", lambda: (array("d"),), ValueError, form="buffer"),
        refuses(operation, "an empty ctypes array", lambda: ((ctypes.c_double * 0)(),), ValueError, form="buffer"),
        *(item(f"a list with {name}", 1.0, value, 2.0, kind=TypeError) for name, value in REFUSED_ITEMS.items()),
        item("an __index__ of 10**400", 1.0, Index(10**400), kind=OverflowError),
        item("a Fraction of 10**400", 1.0, Fraction(10**400), kind=OverflowError),
        item("10**400 and -10**400", 10**400, -(10**400), kind=OverflowError),
        item("a __float__ that raises", 1.0, FailingReal(), 2.0, kind=Problem),
        item("an __index__ that raises", FailingIndex(), 2.0, kind=Problem),
        item("a __float__ that is a str", 1.0, Real("1"), kind=TypeError),  # type: ignore[arg-type]
        *all_refuse(REFUSED_BUFFERS),
        *all_refuse(REFUSED_NUMPY, numpy=True),
        refuses(
            operation,
            "an empty slice with steps",
            lambda: (memoryview(_float64())[4:4:2],),
            ValueError,
            BufferError,
            form="buffer",
        ),
        Check(operation, "an int that gives another float", lambda call: _either_float(call, place), "boxed"),
        refuses(operation, "every other item", lambda: (memoryview(_float64())[::2],), BufferError, form="buffer"),
        refuses(
            operation,
            "every other item of a NumPy array",
            lambda: (_numpy().arange(4.0)[::2],),
            BufferError,
            form="buffer",
            numpy=True,
        ),
        refuses(
            operation, "a reversed NumPy array", lambda: (_numpy().arange(4.0)[::-1],), BufferError, form="buffer", numpy=True
        ),
        refuses(
            operation,
            "a column of a NumPy matrix",
            lambda: (_numpy().arange(8.0).reshape(4, 2)[:, 1],),
            BufferError,
            form="buffer",
            numpy=True,
        ),
        *changing.checks(operation, 1.0, "boxed"),
    ]


CHECKS = [check for place, operation in enumerate(ANSWERS) for check in _of(operation, place)]
