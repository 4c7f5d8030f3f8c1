"""What each request does. What only a profile asks for is imported when it does: no worker waits for it that is timed."""

from __future__ import annotations

import importlib
import json
import os
import sys
from contextlib import AbstractContextManager
from time import perf_counter_ns
from types import ModuleType
from typing import Any, Callable, ClassVar

from . import process
from .answers import answer_of_call, raised
from .inputs import argument
from .timing import Cell, probe


class Worker:
    """One lane, imported, and the cells prepared for it."""

    def __init__(self) -> None:
        self.finished = False
        self._modules: dict[str, ModuleType] = {}
        self._cells: dict[int, Cell] = {}
        self._recorder: AbstractContextManager[None] | None = None
        self._timeless = False

    def reply_to(self, line: str) -> dict[str, Any]:
        """The reply to one request. Whatever is raised becomes one, `SystemExit` too: the lane's next cell may be fine."""
        try:
            request = json.loads(line)
            name, body = next(iter(request.items())) if isinstance(request, dict) else (request, {})
            handler = self._HANDLERS.get(name)
            if handler is None:
                raise ValueError(f"there is no request {name!r}")
            return handler(self, **body)
        except BaseException as error:
            return {"failed": raised(error, with_traceback=True)}

    def _load(
        self, lane: str, paths: list[str], modules: dict[str, str], cpus: list[int] | None = None, timeless: bool = False
    ) -> dict[str, Any]:
        self._timeless = timeless
        if cpus is not None:
            process.stay_on(cpus)
        sys.path[:0] = paths
        start = perf_counter_ns()
        self._modules = {workload: importlib.import_module(name) for workload, name in modules.items()}
        import_ns = perf_counter_ns() - start
        return {
            "loaded": {
                "pid": 0 if timeless else os.getpid(),
                "import_ns": 0 if timeless else import_ns,
                "version": " ".join(sys.version.split()),
                "gil_enabled": process.gil_enabled(),
                "libraries": process.libraries(),
            }
        }

    def _prepare(
        self, cell: int, workload: str, operation: str, pool: list[list[Any]], threads: int, raises: bool = False
    ) -> dict[str, Any]:
        inputs = [tuple(map(argument, arguments)) for arguments in pool]
        self._cells[cell] = Cell(self._operation(workload, operation), inputs, threads, raises)
        return {"prepared": {}}

    def _verify(self, cell: int, first: int = 0, count: int | None = None) -> dict[str, Any]:
        return {"verified": self._cell(cell).verify(first, count)}

    def _sample(self, cell: int, loops: int, first: int, empty: bool = False, cpus: list[int] | None = None) -> dict[str, Any]:
        prepared = self._cell(cell)
        if cpus is not None:
            process.stay_on(cpus)
        sampled = prepared.sample(loops, first, empty, around=self._recorder)
        if self._timeless:
            sampled.update(dict.fromkeys({"elapsed_ns", "empty_ns"} & sampled.keys(), 0))
        return {"sampled": sampled}

    def _drop(self, cell: int) -> dict[str, Any]:
        self._cell(cell)
        del self._cells[cell]
        return {"dropped": {}}

    def _call(self, workload: str, operation: str, arguments: list[Any]) -> dict[str, Any]:
        call = self._operation(workload, operation)
        return {"called": {"answer": answer_of_call(call, tuple(map(argument, arguments)), with_values=True)}}

    def _probe(self, workload: str, operation: str, inputs: list[list[Any]], passes: int) -> dict[str, Any]:
        made = [tuple(map(argument, arguments)) for arguments in inputs]
        return {"probed": {"passes": probe(self._operation(workload, operation), made, passes)}}

    def _watch(self, cell: int, first: int, duration_ns: int, switch_interval_ns: int) -> dict[str, Any]:
        from . import heartbeat

        return {"watched": heartbeat.watch(*self._cell(cell).untimed(first), duration_ns, switch_interval_ns)}

    def _weigh(self, cell: int, first: int, loops: int) -> dict[str, Any]:
        from . import memory

        prepared = self._cell(cell)
        return {"weighed": memory.weigh(*prepared.untimed(first), loops, memory.watched(prepared.call, prepared.pool))}

    def _record(self, library: str, hertz: int, file: str) -> dict[str, Any]:
        from .stacks import Recorder

        self._recorder = Recorder(library, hertz, file)
        return {"recording": {}}

    def _finish(self) -> dict[str, Any]:
        self.finished = True
        return {"finished": {"peak_resident_bytes": process.peak_resident_bytes()}}

    def _operation(self, workload: str, operation: str) -> Callable[..., Any]:
        module = self._modules.get(workload)
        if module is None:
            raise LookupError(f"no module is loaded for the workload {workload!r}")
        found: Callable[..., Any] = getattr(module, operation)
        return found

    def _cell(self, cell: int) -> Cell:
        if cell not in self._cells:
            raise LookupError(f"cell {cell} is not prepared")
        return self._cells[cell]

    _HANDLERS: ClassVar[dict[str, Callable[..., dict[str, Any]]]] = {
        "load": _load,
        "prepare": _prepare,
        "verify": _verify,
        "sample": _sample,
        "drop": _drop,
        "call": _call,
        "probe": _probe,
        "watch": _watch,
        "weigh": _weigh,
        "record": _record,
        "finish": _finish,
    }
