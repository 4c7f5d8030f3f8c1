"""The tasks, in plain Python. They run in the children; a child finds them by module and name, which is all that is pickled."""

from __future__ import annotations

from array import array

from .mapping import Chunk


def noop() -> None:
    """Do nothing, elsewhere."""


def add(a: int, b: int) -> int:
    """The sum."""
    return a + b


def length(data: bytes) -> int:
    """The number of bytes of the copy that arrived."""
    return len(data)


def take_list(xs: list[int]) -> int:
    """The sum of the copy's items."""
    total = 0
    for x in xs:
        total += x
    return total


def give_list(n: int) -> list[int]:
    """A list that exists here only to be pickled."""
    return [i for i in range(n)]  # noqa: C416 - the loop is the point


def fail() -> None:
    """Raise; the exception is pickled, and raised again by the parent."""
    raise RuntimeError("failed, as asked")


def find(chunk: Chunk, pattern: bytes) -> bytes:
    """Knuth-Morris-Pratt for the matches that start in the chunk: it reads len(pattern) - 1 bytes on, where they may end.

    The offsets return as the bytes of an array: a list would be pickled int by int.
    """
    border = _borders(pattern)
    found = array("Q")
    matched = 0
    text = memoryview(chunk.map())[chunk.start : chunk.end + len(pattern) - 1]  # a slice of the mmap itself would be a copy
    for start, byte in enumerate(text, chunk.start + 1 - len(pattern)):
        while matched and pattern[matched] != byte:
            matched = border[matched - 1]
        if pattern[matched] == byte:
            matched += 1
            if matched == len(pattern):
                found.append(start)
                matched = border[-1]
    return found.tobytes()


def _borders(pattern: bytes) -> list[int]:
    table = [0] * len(pattern)
    matched = 0
    for i in range(1, len(pattern)):
        while matched and pattern[matched] != pattern[i]:
            matched = table[matched - 1]
        if pattern[matched] == pattern[i]:
            matched += 1
        table[i] = matched
    return table


def total(chunk: Chunk) -> float:
    """The sum of the chunk's float64 items."""
    sum_ = 0.0
    for x in _items(chunk):
        sum_ += x
    return sum_


def moments(chunk: Chunk) -> tuple[int, float, float]:
    """The chunk's number of items, their mean, and the sum of the squared deviations from it."""
    items = _items(chunk)
    mean = total(chunk) / len(items)
    squares = 0.0
    for x in items:
        squares += (x - mean) * (x - mean)
    return len(items), mean, squares


def _items(chunk: Chunk) -> memoryview:
    return memoryview(chunk.map()).cast("d")[chunk.start : chunk.end]
