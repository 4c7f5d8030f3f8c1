"""The edges of the contract that take objects no protocol carries, over every lane in Python."""

from __future__ import annotations

from pathlib import Path

import pytest
from inside.check import Check
from lanes import RunningLane
from run_inside import CRASH, applying, complaints


def test_inside(lane: RunningLane, workload: str, numpy: str | None, tmp_path: Path) -> None:
    checks = [check for check in applying(lane.lane, workload) if not lane.lane.excuses(check)]
    found = complaints(lane, workload, checks, numpy, tmp_path)
    wrong = [f"{name}: {complaint}" for name, complaint in found.items() if complaint is not None]
    if wrong:
        pytest.fail("\n".join([f"{lane}: {len(wrong)} of {len(found)} checks fail:", *wrong]), pytrace=False)


def test_a_limit_is_an_exception(lane: RunningLane, limit: Check, tmp_path: Path) -> None:
    """A package that can't do what is asked says so, and goes on: it does not take the process with it."""
    others = [check for check in applying(lane.lane, "bpe") if not lane.lane.excuses(check)]
    found = complaints(lane, "bpe", [limit, *others], None, tmp_path)
    beyond = found.pop(repr(limit))
    assert beyond is not None and not beyond.startswith(CRASH), beyond
    assert not any(found.values()), found
