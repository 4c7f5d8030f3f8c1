"""Processes and threads that a call leaves behind."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

from . import MARK, at_import

__path__: list[str] = []  # the kinds are its submodules

SLEEP = [sys.executable, "-c", "import time; time.sleep(1000)"]
_kept: list[object] = []


def _once(function: object) -> bool:
    if function in _kept:
        return False
    _kept.append(function)
    return True


def _daemon() -> None:
    """The old way: fork, a session of its own, fork again, and nobody is its parent."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    os.setsid()
    if os.fork() == 0:
        time.sleep(1000)
    os._exit(0)


def leaves_a_child(a: int, b: int) -> int:
    if _once(leaves_a_child):
        subprocess.Popen(SLEEP)
    return a + b


def leaves_a_session(a: int, b: int) -> int:
    if _once(leaves_a_session):
        subprocess.Popen(SLEEP, start_new_session=True)
    return a + b


def leaves_daemons(a: int, b: int) -> int:
    if _once(leaves_daemons):
        for _ in range(3):
            _daemon()
    return a + b


@at_import
def leaves_a_daemon_at_import() -> None:
    _daemon()


def leaves_a_daemon_and_dies(a: int, b: int) -> int:
    _daemon()
    os.kill(os.getpid(), signal.SIGKILL)
    return a + b


def leaves_a_daemon_and_hangs(a: int, b: int) -> int:
    _daemon()
    time.sleep(1000)
    return a + b


def leaves_a_stubborn_daemon(a: int, b: int) -> int:
    """With nothing in its environment that says where it comes from, and deaf to all it can be deaf to."""
    if _once(leaves_a_stubborn_daemon):
        deaf = f"trap '' TERM HUP INT QUIT; while :; do sleep 1; done; : {MARK}"
        subprocess.Popen(["/bin/sh", "-c", f"({deaf}) &"], env={}, cwd="/", start_new_session=True)
    return a + b


def forks_a_dozen(a: int, b: int) -> int:
    if _once(forks_a_dozen):
        for _ in range(12):
            if os.fork() == 0:
                os.setpgid(0, 0)
                time.sleep(1000)
                os._exit(0)
    return a + b


def forks_and_forks(a: int, b: int) -> int:
    """Each child makes the next one and ends: whoever looks for them is a moment late. They stop by themselves after 2000."""
    if _once(forks_and_forks) and os.fork() == 0:
        for _ in range(2000):
            if os.fork():
                os._exit(0)
            time.sleep(0.002)
        os._exit(0)
    return a + b


def _join_the_driver() -> None:
    """Its process group, which must not be killed. Where the driver has a session of its own, the system refuses."""
    with suppress(PermissionError):
        os.setpgid(0, os.getpgid(os.getppid()))


def joins_the_driver(a: int, b: int) -> int:
    _join_the_driver()
    time.sleep(1000)
    return a + b


def joins_the_driver_and_goes_on(a: int, b: int) -> int:
    if _once(joins_the_driver_and_goes_on):
        _join_the_driver()
        subprocess.Popen(SLEEP)
    return a + b


def child_keeps_the_channel(a: int, b: int) -> int:
    """Forked behind Python's back, a child keeps the pipes open: the driver does not see them end when the worker does."""
    if ctypes.CDLL(None).fork() == 0:
        time.sleep(1000)
        os._exit(0)
    os._exit(3)


def leaves_a_pool(a: int, b: int) -> int:
    if _once(leaves_a_pool):
        pool = multiprocessing.get_context("fork").Pool(3)
        pool.map(abs, range(3))
        _kept.append(pool)
    return a + b


def leaves_a_spawned_pool(a: int, b: int) -> int:
    if _once(leaves_a_spawned_pool):
        pool = multiprocessing.get_context("spawn").Pool(2)
        _kept.append(pool)
    return a + b


def leaves_a_server(a: int, b: int) -> int:
    if _once(leaves_a_server):
        manager = multiprocessing.Manager()
        _kept.append(manager.dict())
        _kept.append(manager)
    return a + b


def leaves_a_thread(a: int, b: int) -> int:
    if _once(leaves_a_thread):
        threading.Thread(target=time.sleep, args=(1000,)).start()
    return a + b


def leaves_a_spinning_daemon_thread(a: int, b: int) -> int:
    def spin() -> None:
        while True:
            time.sleep(0.0001)

    if _once(leaves_a_spinning_daemon_thread):
        threading.Thread(target=spin, daemon=True).start()
    return a + b
