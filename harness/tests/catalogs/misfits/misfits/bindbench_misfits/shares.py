"""A pool of processes, shared memory and a temporary file, none of which it gives back.

What it shares has the test's mark in its name.
"""

import multiprocessing
import multiprocessing.synchronize
import os
import tempfile
from itertools import count
from multiprocessing.shared_memory import SharedMemory

MARK = os.environ.get("BINDBENCH_TEST_MARK", "")
numbers = count()
kept: list[object] = []


def name() -> str:
    return f"{MARK}-{os.getpid()}-{next(numbers)}"


multiprocessing.synchronize.SemLock._make_name = staticmethod(lambda: "/" + name())  # type: ignore[attr-defined]


def add(a: int, b: int) -> int:
    if not kept:
        kept.append(SharedMemory(create=True, size=1, name=name()))
        kept.append(multiprocessing.get_context("spawn").Pool(1))
        kept.append(tempfile.mkdtemp())
    return a + b
