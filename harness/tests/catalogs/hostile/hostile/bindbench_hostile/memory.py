"""Memory that is taken and not given back."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from multiprocessing import shared_memory

from . import at_import

__path__: list[str] = []  # the kinds are its submodules

MIB = 1 << 20
_hoard: list[object] = []


def _take() -> None:
    """One and a half gibibytes, slowly enough to be seen; a driver that does not look gets an answer in the end."""
    for _ in range(48):
        _hoard.append(b"x" * (32 * MIB))
        time.sleep(0.01)


def leaks(a: int, b: int) -> int:
    """A mebibyte at each call, up to 100: within what it may have."""
    if len(_hoard) < 100:
        _hoard.append(b"x" * MIB)
    return a + b


@at_import
def hoards_at_import() -> None:
    _take()


def hoards(a: int, b: int) -> int:
    _take()
    return a + b


def child_hoards(a: int, b: int) -> int:
    hoard = "import time\nh = []\nfor _ in range(48):\n    h.append(b'x' * (32 << 20))\n    time.sleep(0.01)"
    subprocess.run([sys.executable, "-c", hoard], check=True)
    return a + b


def orphan_hoards(a: int, b: int) -> int:
    """The process that takes it has no parent any more."""
    hoard = f"'{sys.executable}' -c 'import time; h = [[b\"x\" * (32 << 20), time.sleep(0.01)] for _ in range(48)]'"
    subprocess.run(["/bin/sh", "-c", f"({hoard}) &"], check=True, start_new_session=True)
    time.sleep(3)
    return a + b


def hoards_shared_memory(a: int, b: int) -> int:
    memory = shared_memory.SharedMemory(create=True, size=3 << 29)
    memory.unlink()  # it lasts as long as somebody has it
    chunk = b"x" * (32 * MIB)
    for start in range(0, memory.size, len(chunk)):
        memory.buf[start : start + len(chunk)] = chunk
        time.sleep(0.01)
    return a + b


def asks_for_too_much(a: int, b: int) -> int:
    return len(bytes(1 << 62))


def many_hoard(a: int, b: int) -> int:
    """None of them takes much."""
    with multiprocessing.get_context("fork").Pool(12) as pool:
        pool.map(_keep, range(12), chunksize=1)
    return a + b


def _keep(_: int) -> None:
    hoard = b"x" * (128 * MIB)
    time.sleep(5)
    del hoard
