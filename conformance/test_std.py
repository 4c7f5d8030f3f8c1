"""`std.sum`, `mean`, `var`, `std` in every form of data a lane takes, against exact fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from arguments import float64
from hypothesis import strategies as st
from lanes import READONLY, RunningLane, raised, std_argument
from reference import Moments

OPERATIONS = ("sum", "mean", "var", "std")

EXAMPLES: dict[str, list[Any]] = {
    "one": [1.5],
    "zeros": [0.0, -0.0, 0.0],
    "ints": list(range(1000)),
    "alternating": [1.0, -1.0] * 500,
    "far from zero": [1e9 + i for i in range(1000)],
    "farther from zero": [1e12 + i % 3 for i in range(30)],
    "ints and floats": [1, 2.5, 3, -4.25, 2**52],
    "ints beyond 2**63": [2**63, -(2**63), 2**64 + 1, -(2**100), 3],
    "ints around 2**30": [2**30 - 1, 2**30, 2**30 + 1, -(2**30), -(2**30) - 1],
    "nan": [1.0, math.nan, 2.0],
    "inf": [1.0, math.inf, 2.0],
    "-inf": [-math.inf],
    "inf - inf": [math.inf, 1.0, -math.inf],
    "nan and inf": [math.inf, math.nan],
    "tiny": [5e-324, 2.2e-308, 1e-200],
    "sum of large": [1e150, 1e150, -1e150],
    "chunks": [float(i % 7) for i in range(8193)],
    "sum beyond 1e308": [1e308] * 5,
    "sum beyond 1e308 and back": [1e308, 1e308, -1e308, -1e308],
    "sums of chunks beyond 1e308": [1e305] * 8193,
    "squares beyond 1e308": [1e200, -1e200, 1.0],
    "sum of squares beyond 1e308": [1e154, -1e154] * 10,
    "inf in the last chunk": [1.0] * 8192 + [math.inf],
    "inf and -inf far apart": [math.inf] + [1.0] * 8192 + [-math.inf],
}

plain = st.floats(-1e150, 1e150)
special = st.sampled_from([math.nan, math.inf, -math.inf])


@cache
def moments_of_example(name: str) -> Moments:
    """Worked out once: fractions of large numbers take long."""
    return Moments(EXAMPLES[name])


def check(
    lane: RunningLane,
    form: str,
    items: list[Any],
    readonly: bool,
    operations: Sequence[str] = OPERATIONS,
    known: Moments | None = None,
) -> None:
    """Several operations on the same numbers."""
    moments = known or Moments(items)
    for operation in operations:
        if lane.lane.has(f"std.{operation}"):
            answer = lane.call(f"std.{operation}", std_argument(lane, form, items, readonly))
            assert moments.accept(operation, answer), f"{operation} of {items}: {answer}"


@pytest.mark.over("std.mean")
@pytest.mark.parametrize(("turn", "name"), list(enumerate(EXAMPLES)), ids=EXAMPLES)
def test_examples(lane: RunningLane, form: str, turn: int, name: str) -> None:
    for readonly in READONLY[form]:
        check(lane, form, EXAMPLES[name], readonly, lane.some_of(OPERATIONS, turn), moments_of_example(name))


@pytest.mark.over("std.mean")
def test_against_fractions(lane: RunningLane, form: str) -> None:
    number = st.one_of(plain, st.integers(-1000, 1000), st.integers(-(2**80), 2**80)) if form == "boxed" else plain

    @lane.for_all(st.lists(number, min_size=1, max_size=20), st.booleans())
    def _(items: list[Any], readonly: bool) -> None:
        check(lane, form, items, readonly)


@pytest.mark.over("std.mean")
def test_special_values_anywhere(lane: RunningLane, form: str) -> None:
    @lane.for_all(st.lists(st.one_of(plain, special), min_size=1, max_size=8), st.booleans())
    def _(items: list[Any], readonly: bool) -> None:
        check(lane, form, items, readonly)


@pytest.mark.over("std.mean", forms=["mapped"])
def test_nothing_beyond_a_slice(lane: RunningLane, form: str) -> None:
    """A mapped input is a slice of a larger file."""
    items = [1.0, 2.0, 4.0] * 1000
    for operation in OPERATIONS:
        argument = std_argument(lane, form, items, around=float64([1e9] * 100))
        assert Moments(items).accept(operation, lane.call(f"std.{operation}", argument))


@pytest.mark.over("std.mean", forms=["mapped"])
def test_mapped_nothing(lane: RunningLane, form: str) -> None:
    for operation in OPERATIONS:
        assert raised(lane.call(f"std.{operation}", std_argument(lane, form, [])), "ValueError")


@pytest.mark.over("std.var")
def test_threads(lane: RunningLane, form: str) -> None:
    """Four threads at once, each on inputs of its own."""
    pools = [[float(i * j % 11) for j in range(100 + i)] for i in range(1, 9)]
    lane.prepare("std.var", [[std_argument(lane, form, items)] for items in pools], threads=4)
    loops = max(1, min(21, lane.examples // 4))
    sampled = lane.ask({"sample": {"cell": 0, "loops": loops, "first": 6}})["sampled"]
    assert [given["item"] for given in sampled["answers"]] == [(6 + thread + loops - 1) % 8 for thread in range(4)]
    for given in sampled["answers"]:
        assert Moments(pools[given["item"]]).accept("var", given["answer"])
