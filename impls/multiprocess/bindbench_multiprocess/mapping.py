"""What goes to another process instead of the data: where they are, and which part of them is meant."""

from __future__ import annotations

import mmap
from typing import Any, NamedTuple

from .processes import PROCESSES


class Chunk(NamedTuple):
    """The items start <= i < end of a slice of a file: a hundred bytes or so when pickled, however long the slice is."""

    path: str
    offset: int
    size: int
    start: int
    end: int

    def map(self, access: int = mmap.ACCESS_READ) -> mmap.mmap:
        """The whole slice: costs nothing but address space until a page is read, and then it is the page all processes share."""
        with open(self.path, "rb") as file:
            return mmap.mmap(file.fileno(), self.size, access=access, offset=self.offset)


def chunks(data: Any, item_size: int) -> list[Chunk]:
    """A part of the mapped file for each process; none if it has no items."""
    try:
        path, offset, count = data.path, data.offset, data.count
    except AttributeError:
        raise TypeError(f"needs a MappedFile, not {type(data).__name__}: other processes can map a file, not an object") from None
    if count and len(data) != count * item_size:
        raise TypeError(f"needs a MappedFile of {item_size}-byte items")
    bounds = [count * k // PROCESSES for k in range(PROCESSES + 1)]
    return [Chunk(path, offset, count * item_size, start, end) for start, end in zip(bounds, bounds[1:]) if start < end]
