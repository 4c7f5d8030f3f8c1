"""The edges of the contract, over every lane; and what a lane's manifest declares `unchecked` is what it leaves out."""

from __future__ import annotations

import pytest
from contract import CHECKS, Check
from lanes import RunningLane
from worker_client import WorkerGone


def test_edge(lane: RunningLane, check: Check) -> None:
    answer = lane.call(check.operation, *check.arguments)
    assert check.holds(answer), f"expected {check.expected}, got {answer}"


def test_declared_unchecked_is_unchecked(lane: RunningLane, declared: str) -> None:
    """A declaration that is no longer true goes out of the manifest."""
    forms = lane.lane.forms(declared.partition(".")[0])
    checks = [check for check in CHECKS if check.operation == declared and (check.form is None or check.form in forms)]
    kept = [check for check in checks if _keeps(lane, check)]
    if len(kept) == len(checks):
        pytest.fail(f"the manifest says {lane.lane.unchecked[declared]!r}, yet {declared} keeps all {len(checks)} checks")


def _keeps(lane: RunningLane, check: Check) -> bool:
    try:
        return check.holds(lane.call(check.operation, *check.arguments))
    except WorkerGone:
        return False  # a missing check may well end the process
