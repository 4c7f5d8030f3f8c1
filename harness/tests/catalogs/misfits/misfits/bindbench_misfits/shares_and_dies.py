"""As `shares`, and killed at its second call."""

import os
import signal

from . import shares


def add(a: int, b: int) -> int:
    if shares.kept:
        os.kill(os.getpid(), signal.SIGKILL)
    return shares.add(a, b)
