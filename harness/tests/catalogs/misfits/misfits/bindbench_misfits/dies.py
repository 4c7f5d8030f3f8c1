"""As slow as `later`, and killed where that one is wrong."""

import os
import signal
import time
from itertools import count

calls = count(1)


def add(a: int, b: int) -> int:
    time.sleep(0.1)
    if next(calls) >= 10:
        os.kill(os.getpid(), signal.SIGKILL)
    return a + b
