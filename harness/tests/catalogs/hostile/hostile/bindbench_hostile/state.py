"""Changes to the process, to the interpreter and to its library, that outlive the call."""

from __future__ import annotations

import builtins
import ctypes
import decimal
import gc
import json
import locale
import os
import resource
import signal
import sys
import threading
import time
import warnings
from typing import Any

from . import at_import

__path__: list[str] = []  # the kinds are its submodules


def changes_folder(a: int, b: int) -> int:
    os.chdir("/")
    return a + b


def forbids_all_files(a: int, b: int) -> int:
    os.umask(0o777)
    return a + b


def clears_its_environment(a: int, b: int) -> int:
    os.environ.clear()
    return a + b


def allows_no_files(a: int, b: int) -> int:
    """Those that are open stay open."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    return a + b


def allows_no_writing(a: int, b: int) -> int:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    return a + b


def allows_no_memory(a: int, b: int) -> int:
    """Less than it has: the next list that does not fit is refused."""
    resource.setrlimit(resource.RLIMIT_AS, (1 << 20, 1 << 20))
    return len(bytes(64 << 20))


def is_nice(a: int, b: int) -> int:
    os.nice(19)
    return a + b


def moves_to_one_cpu(a: int, b: int) -> int:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return a + b


@at_import
def ignores_signals() -> None:
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)


@at_import
def blocks_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def rings_all_the_time(a: int, b: int) -> int:
    """Every system call is interrupted."""
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    return a + b


def speaks_another_language(a: int, b: int) -> int:
    try:
        locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
    except locale.Error:
        locale.setlocale(locale.LC_ALL, "C")
    return a + b


def recurses_no_deeper(a: int, b: int) -> int:
    sys.setrecursionlimit(60)
    return a + b


def switches_all_the_time(a: int, b: int) -> int:
    sys.setswitchinterval(1e-6)
    return a + b


def never_switches(a: int, b: int) -> int:
    sys.setswitchinterval(1e6)
    return a + b


@at_import
def collects_aloud() -> None:
    gc.set_debug(gc.DEBUG_STATS)
    gc.set_threshold(1, 1, 1)


def turns_gc_on(a: int, b: int) -> int:
    """Where it is off: in the timed loop."""
    gc.enable()
    return a + b


@at_import
def traces() -> None:
    def tracer(*_: object) -> object:
        return tracer

    sys.settrace(tracer)
    threading.settrace(tracer)


@at_import
def profiles_with_errors() -> None:
    """A profile function that raises is taken away, and its exception comes out of whatever was called."""

    def profiler(*_: object) -> None:
        raise LookupError("no profile")

    sys.setprofile(profiler)


@at_import
def turns_warnings_into_errors() -> None:
    warnings.simplefilter("error")
    sys.warnoptions.append("error")


def changes_arithmetic(a: int, b: int) -> int:
    decimal.getcontext().prec = 1
    return a + b


@at_import
def empties_the_search_path() -> None:
    sys.path.clear()
    sys.meta_path.clear()


@at_import
def forgets_modules() -> None:
    for name in set(sys.modules) - {__name__, __package__}:
        if not name.startswith("_") and "." not in name:
            sys.modules.pop(name, None)


@at_import
def breaks_json() -> None:
    def broken(*_: object, **__: object) -> str:
        raise TypeError("json is broken")

    json.loads = json.dumps = json.JSONEncoder.encode = broken  # type: ignore[assignment,method-assign]


@at_import
def breaks_os_write() -> None:
    def write(*_: object) -> int:
        raise OSError("write is broken")

    os.write = write  # type: ignore[assignment]


@at_import
def breaks_builtins() -> None:
    def broken(*_: object) -> int:
        raise TypeError("len is broken")

    builtins.len = broken  # type: ignore[assignment]


@at_import
def breaks_the_worker() -> None:
    import bindbench_worker.worker

    del bindbench_worker.worker.Worker.reply_to


@at_import
def stops_time() -> None:
    """`time.perf_counter_ns` of whoever looks it up from now on; the worker has its own reference."""
    time.perf_counter_ns = lambda: 0  # type: ignore[assignment]


@at_import
def stops_the_timed_loop() -> None:
    """The worker's own clock: nothing in the process can keep code of the process from this."""
    import bindbench_worker.timing

    bindbench_worker.timing.perf_counter_ns = lambda: 0  # type: ignore[assignment]


@at_import
def answers_for_the_worker() -> None:
    """Makes of every answer the one that would have been right."""
    import bindbench_worker.timing

    def verify(self: object, first: int, count: int | None) -> dict[str, object]:
        end = None if count is None else first + count
        return {"answers": [{"integer": str(sum(pair))} for pair in self.pool[first:end]], "first_ns": 1}  # type: ignore[attr-defined]

    bindbench_worker.timing.Cell.verify = verify  # type: ignore[method-assign,assignment]


def _claim(elapsed_ns: object) -> None:
    import bindbench_worker.timing

    sample = bindbench_worker.timing.Cell.sample

    def claimed(*arguments: Any, **named: Any) -> dict[str, Any]:
        return {**sample(*arguments, **named), "elapsed_ns": elapsed_ns, "empty_ns": elapsed_ns}

    bindbench_worker.timing.Cell.sample = claimed  # type: ignore[method-assign]


@at_import
def claims_no_time() -> None:
    _claim(0)


@at_import
def claims_five_centuries() -> None:
    _claim((1 << 64) - 1)


@at_import
def claims_less_than_no_time() -> None:
    _claim(-1)


@at_import
def claims_no_number() -> None:
    _claim(float("nan"))


@at_import
def changes_small_ints() -> None:
    """Writes 7 into the very object that all of Python uses for 5: what this breaks is not said."""
    value = ctypes.cast(id(5) + object.__basicsize__ + ctypes.sizeof(ctypes.c_void_p), ctypes.POINTER(ctypes.c_uint32))
    value[0] = 7
