"""A reply that does not end either, a byte at a time."""

import os
import time


def add(a: int, b: int) -> int:
    while True:
        os.write(4, b"x")
        time.sleep(0.02)
