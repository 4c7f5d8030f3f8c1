"""A call is a sample."""

import time


def add(a: int, b: int) -> int:
    time.sleep(0.02)
    return a + b
