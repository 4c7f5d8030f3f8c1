"""The one the others must not disturb."""


def add(a: int, b: int) -> int:
    return a + b
