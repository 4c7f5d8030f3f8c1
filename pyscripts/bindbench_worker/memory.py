"""What calls do to the process's memory, read from inside, right before and right after them."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from itertools import islice
from time import perf_counter_ns
from typing import Any, Callable

from .process import peak_resident_bytes

IMMORTAL = 1 << 28
"""Nothing has so many references: by such a number CPython marks what lives for ever, of which references are not counted."""

LONGEST_LIST = 1 << 10
"""Items of longer lists are not looked at."""


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


def references(watched: dict[str, list[object]]) -> dict[str, int] | None:
    """How many references there are to objects of each kind, all together; None where nobody counts them."""
    if not hasattr(sys, "getrefcount"):  # PyPy
        return None
    counts = {kind: sum(map(sys.getrefcount, objects)) for kind, objects in watched.items() if objects}
    if hasattr(sys, "gettotalrefcount"):  # debug builds
        counts["total"] = sys.gettotalrefcount()
    return counts


def watched(call: Callable[..., Any], pool: list[tuple[Any, ...]]) -> dict[str, list[object]]:
    """The objects whose references are counted: what calls are given, what they call, and what all code of the process shares."""
    given = [argument for arguments in pool for argument in arguments]
    functions = [call, *filter(callable, given)]
    # Of a long list the items are left out: looking at them all would be seen in the memory that is weighed beside them.
    items = [item for argument in given if type(argument) is list and len(argument) <= LONGEST_LIST for item in argument]
    shared = [None, True, False, *range(-5, 257), (), b"", "", type, int, float, bool, str, bytes, list, tuple, RuntimeError]
    theirs = set(map(id, functions + shared))
    arguments = [thing for thing in given + items if id(thing) not in theirs]
    kinds = {"arguments": arguments, "functions": functions, "shared": shared}
    return {kind: _mortal(things) for kind, things in kinds.items()}


def _mortal(things: list[object]) -> list[object]:
    """Each of them once, but for those that live for ever: their references are not counted."""
    count = getattr(sys, "getrefcount", None)
    distinct = {id(thing): thing for thing in things}.values()
    return [thing for thing in distinct if count is not None and count(thing) < IMMORTAL]


def weigh(
    call: Callable[..., Any], inputs: Iterator[tuple[Any, ...]], loops: int, things: dict[str, list[object]]
) -> dict[str, Any]:
    """Call so many times, and look at the memory before, meanwhile, with the last answer at hand, and without it.

    Afterwards the references to some things are counted.
    """
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
    after = footprint()
    return {
        "before": before,
        "elapsed_ns": elapsed_ns,
        "peak_bytes": peak,
        "holding": holding,
        "after": after,
        "references": references(things),
    }
