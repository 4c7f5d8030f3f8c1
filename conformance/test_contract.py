"""The edges of the contract, over every lane; and what a lane's manifest declares `unchecked` is what it leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest
from contract import CHECKS, Check
from lanes import RunningLane, covers
from run_inside import applying, complaints
from worker_client import WorkerGone


def test_edge(lane: RunningLane, check: Check) -> None:
    answer = lane.call(check.operation, *check.arguments)
    assert check.holds(answer), f"expected {check.expected}, got {answer}"


def test_declared_unchecked_is_unchecked(lane: RunningLane, declared: str, numpy: str | None, tmp_path: Path) -> None:
    """A declaration that is no longer true goes out of the manifest."""
    kept: list[object] = []
    left_out = []
    for check in CHECKS:
        forms = lane.lane.forms(check.operation.partition(".")[0])
        if covers(declared, check) and lane.lane.has(check.operation) and (check.form is None or check.form in forms):
            if not _keeps(lane, check):
                return
            kept.append(check)
    for workload in lane.lane.worker["load"]["modules"]:
        inside = [check for check in applying(lane.lane, workload) if covers(declared, check)]
        found = complaints(lane, workload, inside, numpy, tmp_path) if inside else {}
        if any(found.values()):
            return
        kept += found
        if len(found) < len(inside):
            left_out.append(workload)
    if left_out:
        pytest.skip(f"without NumPy, or in the time there is, not all checks of {', '.join(left_out)} can be asked")
    pytest.fail(f"the manifest says {lane.lane.unchecked[declared]!r}, yet all {len(kept)} checks of {declared} are kept")


def _keeps(lane: RunningLane, check: Check) -> bool:
    try:
        return check.holds(lane.call(check.operation, *check.arguments))
    except WorkerGone:
        return False  # a missing check may well end the process
