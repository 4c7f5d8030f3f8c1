"""What a call costs when there is no border: the interpreter's own price for a function."""

from __future__ import annotations

from collections.abc import Callable
from operator import index

from ..inputs import BytesLike, integers


def noop() -> None:
    """Do nothing: what is left is the call."""


def add(a: int, b: int) -> int:
    """The sum, of any size. `| 0` costs less than a look at the types: it lets ints through, and nothing else that has a `+`."""
    return a + b | 0


def length(data: BytesLike) -> int:
    """The number of bytes, read from the object's buffer."""
    return memoryview(data).nbytes


def take_list(xs: list[int]) -> int:
    """The sum of the items; a single float among them makes the total a float, which `index` refuses."""
    total = 0
    for x in integers(xs):
        total += x
    return index(total)


def give_list(n: int) -> list[int]:
    """The ints below n, appended one by one."""
    below = range(n)
    if n < 0:
        raise ValueError("n must not be negative")
    items = []
    for i in below:
        items.append(i)
    return items


def call_back(f: Callable[[int], int], n: int) -> int:
    """The sum of what f answers: no border on the way in, and none on the way back."""
    total = 0
    for i in range(n):
        total += f(i)
    return index(total)


def fail() -> None:
    """Raise."""
    raise RuntimeError("failed, as asked")
