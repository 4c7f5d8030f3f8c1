"""Does not end when it is told to."""

import atexit
import time

atexit.register(time.sleep, 1000)


def add(a: int, b: int) -> int:
    return a + b
