"""What every lane is asked to be as a process: it loads, says what it is, and leaves nothing behind."""

from __future__ import annotations

import os
import signal

import pytest
from arguments import data, integer
from lanes import FORMS, Lane, RunningLane, bpe_argument, kmp_argument, std_argument


def exercise(lane: RunningLane) -> None:
    """Call something of every workload, so that whatever a lane starts is started."""
    if lane.lane.has("call.add"):
        lane.call("call.add", integer(1), integer(2))
    if lane.lane.has("kmp.find_all"):
        lane.call("kmp.find_all", kmp_argument(lane, lane.lane.forms("kmp")[0], b"aaaa"), data(b"a"))
    if lane.lane.has("std.mean"):
        lane.call("std.mean", std_argument(lane, lane.lane.forms("std")[0], [1.0, 2.0]))
    if lane.lane.has("bpe.encode"):
        lane.call("bpe.encode", bpe_argument(lane, lane.lane.forms("bpe")[0], "a few words"))


def test_all_that_can_be_built_is_built(lanes: list[Lane]) -> None:
    """A lane for which something is missing here is not tested; one that should be there is a failure."""
    bad = [f"{lane.id}: {lane.state}: {lane.reason}" for lane in lanes if lane.broken or lane.state not in ("ready", "skipped")]
    assert not bad, "\n".join(bad)


def test_loads(lane: RunningLane) -> None:
    lane.stop()
    worker = lane.worker
    assert lane.loaded["pid"] == worker.process.pid
    assert lane.loaded["import_ns"] >= 0
    assert isinstance(lane.loaded["libraries"], list)
    in_python = lane.lane.in_python
    assert (lane.loaded["version"] is not None) == in_python
    assert (lane.loaded["gil_enabled"] is not None) == in_python


@pytest.mark.over("call.add")
def test_timeless_replies_are_alike(lane: RunningLane) -> None:
    """Where instructions are counted nothing may differ from one process to the next: neither times nor its number are told."""
    assert lane.worker
    assert lane.loaded["pid"] != 0
    loaded = lane.ask({"load": {**lane.lane.worker["load"], "timeless": True}})["loaded"]
    assert (loaded["pid"], loaded["import_ns"]) == (0, 0)
    lane.prepare("call.add", [[integer(1), integer(2)]])
    sampled = lane.ask({"sample": {"cell": 0, "loops": 2, "first": 0, "empty": True}})["sampled"]
    lane.stop()
    assert (sampled["elapsed_ns"], sampled["empty_ns"]) == (0, 0)
    assert sampled["answers"] == [{"item": 0, "answer": integer(3)}]


def test_takes_some_form_of_input(lane: RunningLane) -> None:
    """Otherwise the tests of these workloads would pass by not being there."""
    for workload in FORMS:
        if any(operation.startswith(f"{workload}.") for operation in lane.lane.operations):
            assert lane.lane.forms(workload)


def test_has_all_operations_it_lists(lane: RunningLane) -> None:
    for operation in lane.lane.operations:
        lane.prepare(operation, [[]])


def test_finish_leaves_no_process(lane: RunningLane) -> None:
    exercise(lane)
    worker = lane.worker
    assert "finished" in worker.ask("finish")
    assert worker.wait() == 0, worker.output()
    assert worker.all_gone()
    lane.stop()


def test_end_of_requests_leaves_no_process(lane: RunningLane) -> None:
    """The driver may be killed at any time."""
    exercise(lane)
    worker = lane.worker
    worker.end_of_requests()
    assert worker.wait() == 0, worker.output()
    assert worker.all_gone()
    lane.stop()


@pytest.mark.starts_processes
def test_killed_worker_leaves_no_process(lane: RunningLane) -> None:
    exercise(lane)
    worker = lane.worker
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.wait()
    assert worker.all_gone()
    lane.stop()
