"""Runs the checks of `inside` over a lane, in processes of its interpreter: where one crashes, the next goes on behind it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from inside import CHECKS
from inside.check import Check
from lanes import Lane, RunningLane

PATIENCE_SECONDS = 120.0
MOST_CRASHES = 5
CRASH = "the process ended"
SLOW_LANES_SECONDS = 3.0
"""A lane that starts processes is asked as many checks as fit in this time."""


def applying(lane: Lane, workload: str) -> list[Check]:
    """The checks for operations it has, in forms of input it takes; NumPy's where that is found."""
    if not lane.in_python:
        return []
    forms = lane.forms(workload)
    return [
        check
        for check in CHECKS[workload]
        if lane.has(check.operation)
        and (check.form is None or check.form in forms)
        and (lane.binding == "package" or not check.package)
        and not (check.starved and (lane.binding == "package" or lane.parallel == "processes"))
    ]


def complaints(
    lane: RunningLane, workload: str, checks: Sequence[Check], numpy: str | None, folder: Path
) -> dict[str, str | None]:
    """What is wrong with each, if anything. Of a lane that is slow, some of the checks, of another lane other ones."""
    names = [repr(check) for check in checks if numpy is not None or not check.numpy]
    if names and lane.is_slow:
        step = -(-len(names) // max(1, int(SLOW_LANES_SECONDS / lane.call_seconds)))
        names = names[zlib.crc32(lane.lane.id.encode()) % step :: step]
    found: dict[str, str | None] = {}
    for _ in range(MOST_CRASHES):
        missing = [name for name in names if name not in found]
        if not missing:
            break
        found.update(_run(lane.lane, workload, missing, numpy, folder))
    return {name: found.get(name, "was not asked: the process had ended too often") for name in names}


def _run(lane: Lane, workload: str, names: list[str], numpy: str | None, folder: Path) -> dict[str, str | None]:
    """As far as one process comes."""
    request, results, log = (folder / name for name in ("request.json", "results", "log"))
    load = lane.worker["load"]
    asked = {"paths": load["paths"], "module": load["modules"][workload], "workload": workload, "checks": names, "numpy": numpy}
    request.write_text(json.dumps(asked))
    results.write_text("")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    environment = {
        **inherited,
        "PYTHONMALLOC": "debug",  # memory that was freed, or was never the object's own, has bytes that are no item's
        **lane.worker["environment"],
        "PYTHONPATH": os.fspath(Path(__file__).parent),
    }
    command = [lane.worker["command"][0], "-m", "inside", request, results]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=output, start_new_session=True)
    try:
        status = f"status {process.wait(PATIENCE_SECONDS)}"
    except subprocess.TimeoutExpired:
        status = f"no end within {PATIENCE_SECONDS:g} s"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with the processes that a lane has started
        process.wait()
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    found: dict[str, str | None] = {name: complaint[0] for name, *complaint in lines if complaint}
    printed = log.read_text(errors="replace").strip()[-4000:]
    if not lines:
        pytest.fail(f"{lane.id}: the checks of {workload} did not begin: {status}\n{printed}", pytrace=False)
    if len(lines[-1]) == 1:
        found[lines[-1][0]] = f"{CRASH}: {status}\n{printed}"
    return found
