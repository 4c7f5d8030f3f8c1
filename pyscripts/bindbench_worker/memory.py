"""What calls do to the process's memory, read from inside, right before and right after them."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from itertools import islice
from time import perf_counter_ns
from typing import Any, Callable

from .process import peak_resident_bytes


def footprint() -> dict[str, int | None] | None:
    """What the process takes now; None where the system does not tell."""
    try:
        # Counts the pages. VmRSS is summed up from counters that each thread keeps to itself for a while.
        with open("/proc/self/smaps_rollup") as rollup:
            resident = next(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Rss:"))
    except (OSError, StopIteration):
        return None
    # PyPy has no such allocator.
    blocks = sys.getallocatedblocks() if hasattr(sys, "getallocatedblocks") else None
    return {"resident_bytes": resident, "blocks": blocks}


def forget_the_peak() -> bool:
    """Begin the peak of the resident set anew; False where the system can't."""
    try:
        with open("/proc/self/clear_refs", "w") as clear:
            clear.write("5")
    except OSError:
        return False
    return True


def weigh(call: Callable[..., Any], inputs: Iterator[tuple[Any, ...]], loops: int) -> dict[str, Any]:
    """Call so many times, and look at the memory before, meanwhile, with the last answer at hand, and without it."""
    if loops < 1:
        raise ValueError("there is nothing to weigh without a call")
    gc.collect()
    # As in the timed loop: when a collection comes is a matter of chance.
    collects = gc.isenabled()
    gc.disable()
    try:
        before = footprint()
        has_peak = forget_the_peak()
        start = perf_counter_ns()
        for arguments in islice(inputs, loops):
            answer = None  # or two would live at a time
            answer = call(*arguments)
        elapsed_ns = perf_counter_ns() - start
        peak = peak_resident_bytes() if has_peak else None
        holding = footprint()
        del answer, arguments
    finally:
        if collects:
            gc.enable()
    gc.collect()
    return {"before": before, "elapsed_ns": elapsed_ns, "peak_bytes": peak, "holding": holding, "after": footprint()}
