"""So slow that verification ends after 7 calls and a sample is 1 call: the tenth one is in the midst of the rounds."""

import time
from itertools import count

calls = count(1)


def add(a: int, b: int) -> int:
    time.sleep(0.1)
    return a + b + (next(calls) >= 10)
