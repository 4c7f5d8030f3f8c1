"""The edges of the contract that take objects no protocol carries, over every lane in Python."""

from __future__ import annotations

from pathlib import Path

import pytest
from lanes import RunningLane
from run_inside import applying, complaints


def test_inside(lane: RunningLane, workload: str, numpy: str | None, tmp_path: Path) -> None:
    checks = [check for check in applying(lane.lane, workload) if not lane.lane.excuses(check)]
    found = complaints(lane, workload, checks, numpy, tmp_path)
    wrong = [f"{name}: {complaint}" for name, complaint in found.items() if complaint is not None]
    if wrong:
        pytest.fail("\n".join([f"{lane}: {len(wrong)} of {len(found)} checks fail:", *wrong]), pytrace=False)
