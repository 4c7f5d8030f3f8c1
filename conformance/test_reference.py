"""What the reference takes for right at the ends of the floats, and what it does not: no lane is needed for that."""

from __future__ import annotations

import math
from typing import Any

import pytest
from reference import Moments

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("items", "operation", "right", "wrong"),
    [
        ([1.0, 2.0], "sum", [3.0], [3.1, INF, NAN]),
        ([1.0, 2.0], "var", [0.25], [0.26, INF, NAN, -0.25]),
        ([1.0, INF], "sum", [INF], [NAN, -INF, 1.0]),
        ([1.0, INF], "std", [INF, NAN], [0.0]),
        ([1.0, NAN], "mean", [NAN], [1.0, INF]),
        ([INF, -INF], "sum", [NAN], [INF, 0.0]),
        ([1e308] * 5, "sum", [INF, NAN], [5.0, 1e308]),
        ([1e308] * 5, "mean", [1e308, INF, NAN], [2e307, 0.0]),
        ([1e308] * 5, "var", [0.0, INF, NAN], [1e300]),
        ([1e308, 1e308, -1e308, -1e308], "sum", [0.0, INF, NAN], [1e308]),
        ([1e200, -1e200], "var", [INF, NAN], [0.0, 1e308]),
        ([1e154, -1e154] * 10, "var", [1e308, INF], [1e307, 0.0]),
    ],
)
def test_accepts(items: list[Any], operation: str, right: list[float], wrong: list[float]) -> None:
    moments = Moments(items)
    accepted = {answer: moments.accept(operation, {"float": repr(answer)}) for answer in [*right, *wrong]}
    assert [answer for answer, taken in accepted.items() if taken] == right


def test_accepts_floats_only() -> None:
    assert not Moments([1.0]).accept("sum", {"integer": "1"})
    assert not Moments([1.0]).accept("sum", {"other": "float64: 1.0"})
