"""A reply that does not end."""

import os


def add(a: int, b: int) -> int:
    while True:
        os.write(4, b"x" * (1 << 16))
