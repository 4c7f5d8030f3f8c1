"""What a lane can do to the programs that watch it, as they belong to the same user."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

__path__: list[str] = []  # the kinds are its submodules


def kills_the_driver(a: int, b: int) -> int:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1000)
    return a + b


def interrupts_the_driver(a: int, b: int) -> int:
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(1000)
    return a + b


def kills_the_guard(a: int, b: int) -> int:
    """The other child of the driver that is the driver's program."""
    driver = os.getppid()
    for child in Path(f"/proc/{driver}/task/{driver}/children").read_text().split():
        if os.path.realpath(f"/proc/{child}/exe") == os.path.realpath(f"/proc/{driver}/exe"):
            os.kill(int(child), signal.SIGKILL)
    return a + b
