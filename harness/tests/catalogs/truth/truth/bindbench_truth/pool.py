"""The extension again, in two processes."""

from __future__ import annotations

import atexit
import multiprocessing
from typing import Callable

from .capi import noop as burn


def work() -> None:
    """What the processes do: a function that they find by its name."""
    burn()


def of_pool(method: str) -> Callable[[], None]:
    """An operation that has two processes do it, which are started at its first call."""
    pools = []

    def noop() -> None:
        if not pools:
            pools.append(multiprocessing.get_context(method).Pool(2))
            atexit.register(pools[0].terminate)
        pools[0].starmap(work, [(), ()], chunksize=1)

    return noop
