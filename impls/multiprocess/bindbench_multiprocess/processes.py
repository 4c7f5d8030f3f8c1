"""When processes are started, and when they end.

`multiprocessing.Pool` and not `concurrent.futures`: a forked child of a Pool closes its copy of the pipe's writing end. When the
parent is killed, the child reads end of file and exits. The executor's children keep the copy, and wait for ever.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.pool import Pool
from types import ModuleType

Pools = Callable[[ModuleType], AbstractContextManager[Pool]]  # of processes that have a module of tasks at hand

if hasattr(os, "sched_getaffinity"):  # the CPUs this process may use, not those the machine has
    PROCESSES = max(2, len(os.sched_getaffinity(0)))
else:
    PROCESSES = max(2, os.cpu_count() or 2)


def _start(method: str, kernel: ModuleType) -> Pool:
    # The method is always named: the default is fork, spawn or forkserver, by platform and version.
    return multiprocessing.get_context(method).Pool(PROCESSES, initializer=_begin, initargs=(kernel.__name__,))


def _begin(kernel: str) -> None:
    # Ctrl-C reaches every process of the terminal; what becomes of the work is the parent's to decide.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A forked child has the module, and all that it has read. A spawned one would import it when the first task comes, late.
    importlib.import_module(kernel)


def kept(method: str) -> Pools:
    """One pool for all calls: started at the first, ended with this process."""
    lock = threading.Lock()
    pool: Pool | None = None

    @contextmanager
    def borrow(kernel: ModuleType) -> Iterator[Pool]:
        nonlocal pool
        with lock:
            if pool is None:
                pool = _start(method, kernel)
        yield pool

    return borrow


def started_each_time(method: str) -> Pools:
    """A pool for each call. One call at a time: a fork in the middle of another thread's start would copy its locked locks."""
    lock = threading.Lock()

    @contextmanager
    def start_and_stop(kernel: ModuleType) -> Iterator[Pool]:
        with lock, _start(method, kernel) as pool:  # leaving the block by an exception terminates the children
            yield pool
            pool.close()
            pool.join()

    return start_and_stop
