"""One suite over every lane: reads the list that `bindbench list --json` prints from the file named by BINDBENCH_LANES."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from bpe_reference import BPE
from contract import CHECKS, Check
from hypothesis import HealthCheck, settings
from inside import CHECKS as CHECKS_INSIDE
from lanes import (
    FORMS,
    LANES,
    SLOW,
    SLOW_BYTES_PER_SECOND,
    SLOW_MERGER,
    SLOW_READER,
    SLOW_SECONDS,
    Lane,
    RunningLane,
    covers,
    read_lanes,
)
from run_inside import applying

IN_CI = os.environ.get("CI") == "true"

settings.register_profile(
    "conformance",
    # A CI tries the same examples every time; whoever changes something tries others.
    max_examples=75 if IN_CI else 150,
    deadline=None,
    database=None,
    derandomize=IN_CI,
    print_blob=not IN_CI,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("conformance")

lanes_key = pytest.StashKey[list[Lane]]()


def pytest_configure(config: pytest.Config) -> None:
    """Read the lanes; a suite over no lane would pass and prove nothing."""
    config.addinivalue_line("markers", "over(*operations, forms): run over the lanes with one of these, in these forms of input")
    config.addinivalue_line("markers", "starts_processes: run over the lanes that start processes of their own")
    if LANES not in os.environ:
        raise pytest.UsageError(f"{LANES} names no file; make one: bindbench list --json > lanes.json")
    try:
        lanes = read_lanes()
    except (OSError, ValueError, KeyError) as error:
        raise pytest.UsageError(f"{os.environ[LANES]} is no list of lanes: {error!r}") from error
    config.stash[lanes_key] = lanes
    for lane in lanes:
        # The folder of the vocabulary: the tests need what the workers are given.
        if BPE in (environment := lane.worker.get("environment", {})):
            os.environ.setdefault(BPE, environment[BPE])
    if not any(lane.state == "ready" for lane in lanes):
        raise pytest.UsageError("\n".join(["no lane is ready:", *_not_ready(lanes)]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was not tested, and what was tested less."""
    reports = [report for kind in terminalreporter.stats.values() for report in kind]
    properties = {(name, lane) for report in reports for name, lane in getattr(report, "user_properties", ())}
    for name, title in {
        SLOW: f"slow lanes (over {1000 * SLOW_SECONDS:g} ms a call), tested on fewer examples",
        SLOW_MERGER: "slow with long pieces (four times the length takes over eight times as long), tested on shorter ones",
        SLOW_READER: f"slow with texts (under {SLOW_BYTES_PER_SECOND / 1e6:g} MB/s), tested on fewer long ones",
    }.items():
        if slow := sorted(lane for found, lane in properties if found == name):
            terminalreporter.section(title)
            terminalreporter.write_line("\n".join(slow))
    lanes = config.stash[lanes_key]
    excused = [
        f"{lane.id}: {checks}: {reason}" for lane in lanes if lane.state == "ready" for checks, reason in lane.unchecked.items()
    ]
    if excused:
        terminalreporter.section("checks left out, as manifests declare")
        terminalreporter.write_line("\n".join(excused))
    if missing := _not_ready(lanes):
        terminalreporter.section("lanes not tested")
        terminalreporter.write_line("\n".join(missing))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test every ready lane it applies to, and every form of input or check beside it."""
    ready = [lane for lane in metafunc.config.stash[lanes_key] if lane.state == "ready"]
    names = metafunc.fixturenames
    if "python_worker" in names:
        # The worker itself is tested once for each interpreter.
        workers = {tuple(lane.worker["command"]): lane for lane in ready if lane.in_python}
        ids = [lane.id.rpartition("@")[2] for lane in workers.values()]
        metafunc.parametrize("python_worker", [lane.worker for lane in workers.values()], ids=ids)
    elif "check" in names:
        pairs = [(lane, check) for lane in ready for check in CHECKS if _applies(check, lane)]
        metafunc.parametrize(("lane", "check"), pairs, ids=[f"{lane.id}-{check}" for lane, check in pairs], indirect=["lane"])
    elif "workload" in names:
        applied = [(lane, workload) for lane in ready for workload in CHECKS_INSIDE if applying(lane, workload)]
        ids = [f"{lane.id}-{workload}" for lane, workload in applied]
        metafunc.parametrize(("lane", "workload"), applied, ids=ids, indirect=["lane"])
    elif "limit" in names:
        limits = [
            (lane, check)
            for lane in ready
            for check in applying(lane, "bpe")
            # What excuses a lane from all checks of an operation says nothing of a limit.
            if check.package and any("(" in declared and covers(declared, check) for declared in lane.unchecked)
        ]
        ids = [f"{lane.id}-{check}" for lane, check in limits]
        metafunc.parametrize(("lane", "limit"), limits, ids=ids, indirect=["lane"])
    elif "declared" in names:
        declared = [(lane, checks) for lane in ready for checks in lane.unchecked]
        ids = [f"{lane.id}-{checks}" for lane, checks in declared]
        metafunc.parametrize(("lane", "declared"), declared, ids=ids, indirect=["lane"])
    elif "lane" in names:
        marker = metafunc.definition.get_closest_marker("over")
        operations: tuple[str, ...] = marker.args if marker else ()
        having = [lane for lane in ready if not operations or any(map(lane.has, operations))]
        if "form" in names:
            assert marker is not None
            workload = operations[0].partition(".")[0]
            wanted = marker.kwargs.get("forms", FORMS[workload])
            formed = [(lane, form) for lane in having for form in lane.forms(workload) if form in wanted]
            ids = [f"{lane.id}-{form}" for lane, form in formed]
            metafunc.parametrize(("lane", "form"), formed, ids=ids, indirect=["lane"])
        else:
            if metafunc.definition.get_closest_marker("starts_processes"):
                having = [lane for lane in having if lane.parallel == "processes"]
            metafunc.parametrize("lane", having, ids=[lane.id for lane in having], indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lane by lane, so that one worker serves many tests of its lane. Those that start processes are slow and come first."""
    order: dict[str, int] = {}

    def place(item: pytest.Item) -> tuple[bool, int]:
        lane = _parameter(item, "lane")
        if not isinstance(lane, Lane):
            return True, -1
        return lane.parallel != "processes", order.setdefault(lane.id, len(order))

    items.sort(key=place)


@pytest.fixture
def lanes(request: pytest.FixtureRequest) -> list[Lane]:
    """All lanes, whatever their state."""
    return request.config.stash[lanes_key]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RunningLane]]:
    """The lane whose worker is alive, if any."""
    alive: list[RunningLane] = []
    yield alive
    for lane in alive:
        lane.stop()


@pytest.fixture
def lane(request: pytest.FixtureRequest, running: list[RunningLane], tmp_path_factory: pytest.TempPathFactory) -> RunningLane:
    """A lane with its worker, which lives as long as tests of the same lane follow one another."""
    if not running or running[0].lane is not request.param:
        while running:
            running.pop().stop()
        lane = RunningLane(request.param, tmp_path_factory.mktemp("inputs"))
        running.append(lane)
        if lane.is_slow:
            request.node.user_properties.append((SLOW, lane.lane.id))
    return running[0]


@pytest.fixture
def numpy(lane: RunningLane, lanes: list[Lane]) -> str | None:
    """A folder with NumPy for the lane's interpreter, which some other lane brings along; None where none does."""
    same = (other for other in lanes if other.state == "ready" and other.worker["command"] == lane.lane.worker["command"])
    folders = (folder for other in same for folder in other.worker["load"]["paths"])
    return next((folder for folder in folders if os.path.exists(os.path.join(folder, "numpy", "__init__.py"))), None)


def _applies(check: Check, lane: Lane) -> bool:
    """Whether a lane must keep a check: not where it has no such operation or input, nor where it says that it doesn't."""
    workload = check.operation.partition(".")[0]
    return (
        lane.has(check.operation)
        and not lane.excuses(check)
        and (check.form is None or check.form in lane.forms(workload))
        and (lane.in_python or not check.in_python)
    )


def _parameter(item: pytest.Item, name: str) -> Any:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get(name) if callspec else None


def _not_ready(lanes: list[Lane]) -> list[str]:
    return [f"{lane.id}: {lane.state}: {lane.reason or 'no reason given'}" for lane in lanes if lane.state != "ready"]
