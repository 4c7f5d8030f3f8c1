"""Calls that never return."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
import time

from . import after

__path__: list[str] = []  # the kinds are its submodules

_late = after(4)


def sleeps(a: int, b: int) -> int:
    time.sleep(1000)
    return a + b


def spins(a: int, b: int) -> int:
    while True:
        pass


def holds_the_gil(a: int, b: int) -> int:
    """In native code, where no signal handler and no other thread gets a turn."""
    ctypes.PyDLL(None).sleep(1000)
    return a + b


def computes_for_ever(a: int, b: int) -> int:
    return len(str(9 ** (9**9)))


def ignores_signals(a: int, b: int) -> int:
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(1)


def waits_for_itself(a: int, b: int) -> int:
    lock = threading.Lock()
    with lock:
        lock.acquire()
    return a + b


def waits_for_the_network(a: int, b: int) -> int:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    listening.accept()
    return a + b


def waits_for_a_pipe(a: int, b: int) -> int:
    os.read(os.pipe()[0], 1)
    return a + b


def asks_for_input(a: int, b: int) -> int:
    """There is nobody to answer: standard input is empty."""
    return int(input("a + b? "))


def prints_for_ever(a: int, b: int) -> int:
    while True:
        sys.stdout.write("." * (1 << 20))


def hangs_late(a: int, b: int) -> int:
    time.sleep(0.06)
    if _late():
        time.sleep(1000)
    return a + b
