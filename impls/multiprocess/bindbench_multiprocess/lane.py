"""The operations, as the parent sees them: what to send, whom to send it to, how to put the answers together."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Callable
from operator import index
from types import ModuleType
from typing import Any, Union

from .mapping import Chunk, chunks
from .processes import Pools

BytesLike = Union[bytes, bytearray, memoryview]


class Lane:
    """The operations of all workloads, done by the tasks of `kernel` in the processes of `pools`."""

    def __init__(self, kernel: ModuleType, pools: Pools) -> None:
        """Starts nothing yet."""
        self._kernel = kernel
        self._pools = pools

    def _apply(self, task: Callable[..., Any], *arguments: Any) -> Any:
        with self._pools(self._kernel) as pool:
            return pool.apply(task, arguments)

    def _map(self, task: Callable[..., Any], parts: list[Chunk], *arguments: Any) -> list[Any]:
        with self._pools(self._kernel) as pool:
            return pool.starmap(task, [(part, *arguments) for part in parts], chunksize=1)

    def noop(self) -> None:
        """There and back."""
        return self._apply(self._kernel.noop)

    def add(self, a: int, b: int) -> int:
        """Two ints there, one back. What else is an int has a class that the other process may not know."""
        return self._apply(self._kernel.add, index(a), index(b))

    def length(self, data: BytesLike) -> int:
        """All the bytes there, to be counted."""
        return self._apply(self._kernel.length, _bytes(data))

    def take_list(self, xs: list[int]) -> int:
        """A list there, of ints and nothing else."""
        if not isinstance(xs, list):
            raise TypeError(f"a list is needed, not {type(xs).__name__}")
        return self._apply(self._kernel.take_list, list(map(index, list.__iter__(xs))))

    def give_list(self, n: int) -> list[int]:
        """A list back."""
        n = index(n)
        if n < 0:
            raise ValueError("n must not be negative")
        if n > sys.maxsize // 8:
            raise OverflowError("no list has so many items")
        return self._apply(self._kernel.give_list, n)

    def fail(self) -> None:
        """An exception back."""
        self._apply(self._kernel.fail)

    def find_all(self, text: Any, pattern: BytesLike) -> list[int]:
        """Every offset of the pattern. The parts' answers are ascending, disjoint and in order: joined, they are the answer."""
        parts, sought = chunks(text, 1), _bytes(pattern)
        if not sought:
            raise ValueError("the pattern is empty")
        return array("Q", b"".join(self._map(self._kernel.find, parts, sought))).tolist()

    def sum(self, data: Any) -> float:
        """The sum of the parts' sums."""
        return sum(self._map(self._kernel.total, _float64(data)), 0.0)

    def mean(self, data: Any) -> float:
        """The sum over the number of items."""
        return self.sum(data) / data.count

    def var(self, data: Any) -> float:
        """The population variance, in one round trip: each part makes two passes of its own, then its mean's distance is added.

        The formula is that of Chan, Golub and LeVeque, "Algorithms for Computing the Sample Variance", The American
        Statistician 37 (1983), for any number of parts.
        """
        moments = self._map(self._kernel.moments, _float64(data))
        center = sum(count * mean for count, mean, _ in moments) / data.count
        return sum(squares + count * (mean - center) * (mean - center) for count, mean, squares in moments) / data.count

    def std(self, data: Any) -> float:
        """The square root of the variance."""
        return math.sqrt(self.var(data))

    def encode(self, text: Any) -> list[int]:
        """The ids of a text's tokens, boxed by this process: no other one can make objects for it."""
        return self.encode_buffer(text).tolist()

    def encode_buffer(self, text: Any) -> array[int]:
        """The ids as uint32. The parts end where pieces end, and are in order: joined, their ids are those of the text."""
        return array("I", b"".join(self._map(self._kernel.encode, chunks(text, 1))))


def _float64(data: Any) -> list[Chunk]:
    parts = chunks(data, 8)
    if not parts:
        raise ValueError("no data")
    return parts


def _bytes(data: BytesLike) -> bytes:
    if type(data) is bytes:  # a subclass would be pickled as one
        return data
    view = memoryview(data)  # which can't be pickled itself
    if not view.c_contiguous:
        raise BufferError("the bytes must be contiguous")
    return view.tobytes()
