"""Ways for a process to end, or to be ended, while it is called."""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import signal
import sys
import threading
import time

from . import after

__path__: list[str] = []  # the kinds are its submodules


class Panic(BaseException):
    """As an extension in Rust raises it."""


_late = after(4)


def exits_0(a: int, b: int) -> int:
    os._exit(0)


def exits_3(a: int, b: int) -> int:
    os._exit(3)


def exits_with_last_words(a: int, b: int) -> int:
    print("the disk is on fire", file=sys.stderr, flush=True)
    os._exit(7)


def sys_exit(a: int, b: int) -> int:
    sys.exit(3)


def sys_exit_in_thread(a: int, b: int) -> int:
    """Nothing but the thread ends."""
    thread = threading.Thread(target=sys.exit, args=(3,))
    thread.start()
    thread.join()
    return a + b


def exits_in_thread(a: int, b: int) -> int:
    threading.Thread(target=os._exit, args=(9,)).start()
    time.sleep(60)
    return a + b


def keyboard_interrupt(a: int, b: int) -> int:
    raise KeyboardInterrupt


def generator_exit(a: int, b: int) -> int:
    raise GeneratorExit


def stop_iteration(a: int, b: int) -> int:
    raise StopIteration(3)


def cancelled(a: int, b: int) -> int:
    raise asyncio.CancelledError("no more")


def panics(a: int, b: int) -> int:
    raise Panic("called `Option::unwrap()` on a `None` value")


def aborts(a: int, b: int) -> int:
    os.abort()


def kills_itself(a: int, b: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return a + b


def terminates_itself(a: int, b: int) -> int:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
    return a + b


def kills_its_group(a: int, b: int) -> int:
    os.killpg(os.getpgrp(), signal.SIGKILL)
    return a + b


def dies_of_an_alarm(a: int, b: int) -> int:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    time.sleep(60)
    return a + b


def runs_out_of_cpu_time(a: int, b: int) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
    while True:
        pass


def stops_itself(a: int, b: int) -> int:
    os.kill(os.getpid(), signal.SIGSTOP)
    return a + b


def segfaults(a: int, b: int) -> int:
    return len(ctypes.string_at(0))


def calls_nowhere(a: int, b: int) -> int:
    return int(ctypes.CFUNCTYPE(ctypes.c_int)(8)())


def overflows_its_stack(a: int, b: int) -> int:
    """A C function that calls back, and that again, until the stack has no more."""

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
    def deeper(depth: int) -> int:
        return int(deeper(depth + 1))

    sys.setrecursionlimit(1 << 30)
    return int(deeper(a))


def frees_twice(a: int, b: int) -> int:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    memory = libc.malloc(10_000_000)
    libc.free(memory)
    libc.free(memory)
    libc.free(12)
    return a + b


def becomes_another_program(a: int, b: int) -> int:
    os.execv("/bin/sh", ["sh", "-c", "exit 6"])


def becomes_a_sleeper(a: int, b: int) -> int:
    os.execv("/bin/sh", ["sh", "-c", "sleep 1000"])


def dies_late(a: int, b: int) -> int:
    """Verified and calibrated by then."""
    time.sleep(0.06)
    if _late():
        os.kill(os.getpid(), signal.SIGKILL)
    return a + b


def exits_late(a: int, b: int) -> int:
    time.sleep(0.06)
    if _late():
        sys.exit(3)
    return a + b
