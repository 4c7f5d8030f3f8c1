"""The lanes under test: read from the driver's list, each with a worker that is started again after a crash."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, Callable, TypeVar

import pytest
from arguments import Argument, Files, buffer, data, float64, integer, numbers, text
from hypothesis import given, settings
from hypothesis.strategies import SearchStrategy
from worker_client import WorkerGone, WorkerHung, WorkerProcess

Answer = dict[str, Any]

Choice = TypeVar("Choice")

LANES = "BINDBENCH_LANES"

SLOW = "slow lane"
"""Property of a test's report: its lane is slow."""

SLOW_SECONDS = 0.005
"""A lane whose call takes longer, because it starts processes, is tested on fewer examples."""

SLOW_READER = "slow reader"
"""Property of a test's report: its lane is slow with long texts."""

SLOW_MERGER = "slow merger"
"""Property of a test's report: its lane takes the square of the time for a piece of double length."""

SLOW_BYTES_PER_SECOND = 1.5e6
"""A lane that makes tokens at a lower rate is tested on fewer and shorter long texts."""

FORMS = {"kmp": ("bytes", "buffer", "mapped"), "std": ("boxed", "buffer", "mapped"), "bpe": ("text", "mapped")}
"""The forms of input a workload can be given in."""

READONLY = {"bytes": (True,), "boxed": (True,), "buffer": (True, False), "mapped": (True,)}
"""Whether the memory of a form of input is read-only: of a buffer, it may be either."""


@dataclass(frozen=True)
class Lane:
    """What the list says of a lane."""

    id: str
    state: str
    reason: str | None
    broken: bool
    comparison: str
    binding: str
    parallel: str
    copies: dict[str, Any]
    operations: tuple[str, ...]
    unchecked: dict[str, str]
    """Which checks it is excused from, and why: `call.add` is all of an operation, `call.add(None first)` one, `*` any text."""
    worker: dict[str, Any]

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> Lane:
        """One entry of the list."""
        interpreter = entry.get("interpreter")
        return cls(
            id=entry["lane"] + (f"@{interpreter}" if interpreter else ""),
            state=entry["state"],
            reason=entry.get("reason"),
            broken=entry.get("broken", False),
            comparison=entry.get("comparison", "as published"),
            binding=entry.get("binding", ""),
            parallel=entry.get("parallel", "none"),
            copies=entry.get("copies") or {},
            operations=tuple(entry.get("operations") or ()),
            unchecked=entry.get("unchecked") or {},
            worker=entry.get("worker") or {},
        )

    def forms(self, workload: str) -> tuple[str, ...]:
        """The forms of input it takes for a workload. `copies` is one table for all workloads, or one for each."""
        per_workload = any(isinstance(value, dict) for value in self.copies.values())
        taken = self.copies.get(workload, {}) if per_workload else self.copies
        return tuple(form for form in FORMS.get(workload, ()) if form in taken)

    @property
    def in_python(self) -> bool:
        """Whether its worker is a Python."""
        return bool(self.worker["load"]["modules"])

    def has(self, operation: str) -> bool:
        """Whether it has the operation, `std.mean`."""
        return operation in self.operations

    def excuses(self, check: object) -> bool:
        """Whether its manifest says that it doesn't keep a check."""
        return any(covers(declared, check) for declared in self.unchecked)


def covers(declared: str, check: object) -> bool:
    """Whether what a manifest says it leaves unchecked is this check."""
    return fnmatchcase(repr(check), declared if "(" in declared else f"{declared}(*")


def read_lanes() -> list[Lane]:
    """All lanes of the list named in the environment."""
    return [Lane.from_json(entry) for entry in json.loads(Path(os.environ[LANES]).read_text())["lanes"]]


class RunningLane:
    """A lane and its worker. One that does not load, or hangs, is given up after that one failure: more would only repeat it."""

    def __init__(self, lane: Lane, folder: Path) -> None:
        self.lane = lane
        self.files = Files(folder)
        self._worker: WorkerProcess | None = None
        self._given_up = ""

    def __repr__(self) -> str:
        return self.lane.id

    @property
    def worker(self) -> WorkerProcess:
        """The worker with the lane loaded."""
        if self._given_up:
            pytest.skip(f"{self.lane.id} was given up: {self._given_up}")
        if self._worker is None:
            worker = WorkerProcess(self.lane.worker["command"], self.lane.worker["environment"])
            self._worker = worker
            self._given_up = "it does not load, as an earlier failure shows"
            reply = self._ask({"load": self.lane.worker["load"]})
            if "loaded" not in reply:
                self.stop()
                pytest.fail(f"{self.lane.id} does not load:\n{_explained(reply)}", pytrace=False)
            self.loaded = reply["loaded"]
            self._given_up = ""
        return self._worker

    def ask(self, request: object) -> dict[str, Any]:
        """A request and its reply; one that the worker could not do is an error."""
        assert self.worker
        reply = self._ask(request)
        assert "failed" not in reply, _explained(reply)
        return reply

    def call(self, operation: str, *arguments: Argument) -> Answer:
        """Call an operation once."""
        workload, _, name = operation.partition(".")
        called = self.ask({"call": {"workload": workload, "operation": name, "arguments": arguments}})
        answer: Answer = called["called"]["answer"]
        return answer

    def prepare(self, operation: str, pool: list[list[Argument]], threads: int = 1, raises: bool = False) -> None:
        """Prepare cell 0."""
        workload, _, name = operation.partition(".")
        cell = {"cell": 0, "workload": workload, "operation": name, "pool": pool, "threads": threads, "raises": raises}
        assert self.ask({"prepare": cell}) == {"prepared": {}}

    def stop(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def some_of(self, choices: Sequence[Choice], turn: int) -> Sequence[Choice]:
        """All of them; or for a slow lane just one, another at every turn."""
        return [choices[turn % len(choices)]] if self.is_slow else choices

    def as_many(self, choices: Sequence[Choice]) -> Sequence[Choice]:
        """All of them, or from all over as many as it does in a second."""
        most = max(2, int(1.0 / self.call_seconds))
        return choices[:: -(-len(choices) // most)]

    def for_all(self, *strategies: SearchStrategy[Any]) -> Callable[[Callable[..., None]], None]:
        """Decorates a property, which is checked at once, on fewer examples where a call takes long."""

        def check(body: Callable[..., None]) -> None:
            settings(max_examples=self.examples)(given(*strategies)(body))()

        return check

    @cached_property
    def examples(self) -> int:
        """As many examples as the profile says, or what a lane does in 1 s, four calls each."""
        return max(2, min(settings().max_examples, int(1.0 / (4 * self.call_seconds))))

    @property
    def is_slow(self) -> bool:
        """Whether it is tested on fewer examples."""
        return self.call_seconds > SLOW_SECONDS

    @cached_property
    def call_seconds(self) -> float:
        """What one call takes, at best."""
        if self.lane.has("std.var"):
            form = self.lane.forms("std")[0]
            return self._seconds("std.var", std_argument(self, form, [1.0, 2.0]))
        if self.lane.has("kmp.find_all"):
            form = self.lane.forms("kmp")[0]
            return self._seconds("kmp.find_all", kmp_argument(self, form, b"aa"), data(b"a"))
        if self.lane.has("bpe.encode"):
            form = self.lane.forms("bpe")[0]
            return self._seconds("bpe.encode", bpe_argument(self, form, "a a"))
        return self._seconds("call.add", integer(1), integer(2))

    @cached_property
    def reads_slowly(self) -> bool:
        """Whether it is tested on fewer long texts."""
        string = "".join(f"Word {chr(i)}{chr(i)} {i}\n" for i in range(0x4E00, 0x5300))  # most of it has to be merged
        seconds = self._seconds("bpe.encode", bpe_argument(self, self.lane.forms("bpe")[0], string))
        return self.is_slow or len(string.encode()) / seconds < SLOW_BYTES_PER_SECOND

    @cached_property
    def merges_slowly(self) -> bool:
        """Whether it is spared the longest pieces. No controlled lane is: their kernel is one that need not be."""
        form = self.lane.forms("bpe")[0]
        short, long = (self._seconds("bpe.encode", bpe_argument(self, form, "a" * length)) for length in (4_000, 16_000))
        return self.lane.comparison != "controlled" and long > 8 * short

    def _seconds(self, operation: str, *arguments: Argument) -> float:
        """What this call takes, at best, and what it takes to ask for it."""
        self.call(operation, *arguments)  # the first call may start a pool

        def one_call() -> float:
            start = time.perf_counter()
            self.call(operation, *arguments)
            return time.perf_counter() - start

        return min(one_call() for _ in range(3))

    def _ask(self, request: object) -> dict[str, Any]:
        assert self._worker
        try:
            reply: dict[str, Any] = self._worker.ask(request)
        except WorkerGone:
            self.stop()
            raise
        except WorkerHung:
            self._given_up = "it hangs, as an earlier failure shows"
            self.stop()
            raise
        return reply


def kmp_argument(lane: RunningLane, form: str, text: bytes, readonly: bool = True, around: bytes = b"") -> Argument:
    """A text in one of the forms a lane takes."""
    if form == "bytes":
        return data(text)
    if form == "buffer":
        return buffer(text, readonly=readonly)
    assert form == "mapped", form
    return lane.files.mapped(text, "mapped_bytes", around=around)


def std_argument(lane: RunningLane, form: str, items: list[Any], readonly: bool = True, around: bytes = b"") -> Argument:
    """Numbers in one of the forms a lane takes."""
    if form == "boxed":
        return numbers(items)
    memory = float64([float(item) for item in items])
    if form == "buffer":
        return buffer(memory, "d", readonly)
    assert form == "mapped", form
    return lane.files.mapped(memory, "mapped_float64", item_size=8, around=around)


def bpe_argument(lane: RunningLane, form: str, string: str, around: bytes = b"") -> Argument:
    """A text in one of the forms a lane takes."""
    if form == "text":
        return text(string)
    assert form == "mapped", form
    return lane.files.mapped(string.encode(), "mapped_bytes", around=around)


def raised(answer: Answer, *kinds: str) -> bool:
    """Whether the answer is an exception of one of these types, or of a type derived from one."""
    error = answer.get("raised")
    return error is not None and not {error["type"], *error["bases"]}.isdisjoint(kinds)


def _explained(reply: dict[str, Any]) -> str:
    failed = reply.get("failed", {})
    return failed.get("traceback") or f"{failed.get('type')}: {failed.get('message')}"
