"""Its last words are on its log when it ends."""

import os
import sys


def add(a: int, b: int) -> int:
    print("the disk is on fire", file=sys.stderr, flush=True)
    os._exit(7)
