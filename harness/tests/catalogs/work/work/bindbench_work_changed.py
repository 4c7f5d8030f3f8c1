"""A loop, then the sum. Tests make it longer."""


def add(a: int, b: int) -> int:
    for _ in range(1000):
        pass
    return a + b
