"""A stray write to a descriptor that happens to be the protocol's."""

import os


def add(a: int, b: int) -> int:
    os.write(4, b"\xff no reply\n")
    return a + b
