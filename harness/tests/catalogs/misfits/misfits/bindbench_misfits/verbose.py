"""An exception with a message of nine megabytes."""


def add(a: int, b: int) -> int:
    raise ValueError("head" + "x" * 9_000_000 + "tail")
