"""A mebibyte on either stream, at every call."""

import os
import sys

MIB = 1 << 20


def add(a: int, b: int) -> int:
    sys.stdout.write("o" * (MIB - 1) + "\n")
    sys.stdout.flush()
    os.write(2, b"e" * (MIB - 1) + b"\n")
    return a + b
