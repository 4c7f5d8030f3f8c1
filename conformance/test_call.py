"""`call`: what crossing costs. The answers are trivial; they prove that something crossed."""

from __future__ import annotations

import pytest
from arguments import data, function, integer, listed
from hypothesis import strategies as st
from lanes import RunningLane, raised
from reference import integers

LEAST, MOST = -(2**63), 2**63 - 1
int64 = st.integers(LEAST, MOST)


@pytest.mark.over("call.noop")
def test_noop(lane: RunningLane) -> None:
    assert lane.call("call.noop") == {"none": None}


@pytest.mark.over("call.add")
def test_add(lane: RunningLane) -> None:
    for a, b in [(0, 0), (LEAST, 0), (MOST, 0), (LEAST, MOST), (MOST, -1), (2**31, 2**31), (-1, 1), (2**30, 1), (2**60, 2**60)]:
        assert lane.call("call.add", integer(a), integer(b)) == {"integer": str(a + b)}

    @lane.for_all(int64, int64)
    def _(a: int, b: int) -> None:
        if LEAST <= a + b <= MOST:
            assert lane.call("call.add", integer(a), integer(b)) == {"integer": str(a + b)}


@pytest.mark.over("call.length")
def test_length(lane: RunningLane) -> None:
    for value in (b"", b"a", b"\0\0", b"a\0b", bytes(100_000)):
        assert lane.call("call.length", data(value)) == {"integer": str(len(value))}


@pytest.mark.over("call.take_list")
def test_take_list(lane: RunningLane) -> None:
    for items in ([], [0], [LEAST], [MOST], [MOST, LEAST], [2**60, -(2**60), 2**30, -1], list(range(10_000))):
        assert lane.call("call.take_list", listed(*map(integer, items))) == {"integer": str(sum(items))}

    @lane.for_all(st.lists(st.integers(-(2**57), 2**57), max_size=30))
    def _(items: list[int]) -> None:
        assert lane.call("call.take_list", listed(*map(integer, items))) == {"integer": str(sum(items))}


@pytest.mark.over("call.give_list")
def test_give_list(lane: RunningLane) -> None:
    for n in (0, 1, 2, 255, 256, 257, 100_000):
        assert lane.call("call.give_list", integer(n)) == integers(list(range(n)))


@pytest.mark.over("call.call_back")
def test_call_back(lane: RunningLane) -> None:
    for n in (-1, 0, 1, 3, 1000):
        assert lane.call("call.call_back", function("identity"), integer(n)) == {"integer": str(sum(range(n)))}


@pytest.mark.over("call.call_back")
def test_call_back_is_well_after_an_exception(lane: RunningLane) -> None:
    for _ in range(3):
        assert raised(lane.call("call.call_back", function("raise_at_three"), integer(10)), "KeyError")
        assert lane.call("call.call_back", function("identity"), integer(3)) == {"integer": "3"}


@pytest.mark.over("call.fail")
def test_fail(lane: RunningLane) -> None:
    for _ in range(3):
        assert raised(lane.call("call.fail"), "RuntimeError")
