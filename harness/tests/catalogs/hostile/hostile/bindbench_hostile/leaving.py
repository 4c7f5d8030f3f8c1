"""What happens when the worker is asked to end."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing import shared_memory

from . import MARK, at_import

__path__: list[str] = []  # the kinds are its submodules

_kept: list[object] = []


class Grudge:
    """Raises when it goes."""

    def __del__(self) -> None:
        raise RuntimeError("not like this")


@at_import
def hangs_at_exit() -> None:
    atexit.register(time.sleep, 1000)


@at_import
def forks_at_exit() -> None:
    atexit.register(subprocess.Popen, [sys.executable, "-c", "import time; time.sleep(1000)"], start_new_session=True)


@at_import
def raises_at_exit() -> None:
    atexit.register(int, "no number")


@at_import
def exits_at_exit() -> None:
    atexit.register(os._exit, 3)


@at_import
def floods_at_exit() -> None:
    atexit.register(lambda: [os.write(2, b"bye " * 2000) for _ in range(2000)])


@at_import
def raises_when_freed() -> None:
    _kept.append(Grudge())


@at_import
def leaves_shared_memory() -> None:
    """Whoever made it forgot to unlink it: Python's resource tracker does so when the worker ends."""
    _kept.append(shared_memory.SharedMemory(f"{MARK}-{os.getpid()}", create=True, size=1 << 20))


def dies_with_shared_memory(a: int, b: int) -> int:
    """The resource tracker, a process of its own, sees it die."""
    _kept.append(shared_memory.SharedMemory(f"{MARK}-{os.getpid()}", create=True, size=1 << 20))
    os.abort()


def hangs_with_shared_memory(a: int, b: int) -> int:
    _kept.append(shared_memory.SharedMemory(f"{MARK}-{os.getpid()}", create=True, size=1 << 20))
    time.sleep(1000)
    return a + b


@at_import
def leaves_semaphores() -> None:
    context = multiprocessing.get_context("spawn")
    _kept.extend(context.Lock() for _ in range(5))


@at_import
def leaves_a_temporary_folder() -> None:
    folder = tempfile.TemporaryDirectory(prefix="hostile-")
    with open(os.path.join(folder.name, "file"), "w") as file:
        file.write("something")
    _kept.append(folder)
