"""Up to 4 GiB in steps, slowly enough to be seen; a driver that does not look gets an answer in the end."""

import time


def add(a: int, b: int) -> int:
    hoard = []
    for _ in range(128):
        hoard.append(b"x" * (32 << 20))
        time.sleep(0.01)
    return a + b
