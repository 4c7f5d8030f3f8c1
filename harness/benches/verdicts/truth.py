"""How much further work makes a call slower by a given share: found by the clock of one process that does both in turn.

One process has one address layout, and one build of the module is asked with and without the further work: so nothing but the work
differs. Started with a module and a share; prints the work and the share that it really is.
"""

from __future__ import annotations

import importlib
import json
import statistics
import sys
from itertools import repeat
from time import perf_counter_ns
from typing import Callable

LONG_ENOUGH_NS = 300_000
PAIRS = 300
REPEATS = 7
TRIES = 8


def time(call: Callable[[], None], calls: int) -> int:
    """Nanoseconds of so many calls, the loop included."""
    start = perf_counter_ns()
    for _ in repeat(None, calls):
        call()
    return perf_counter_ns() - start


def time_empty(calls: int) -> int:
    """Nanoseconds of the loop without the call."""
    start = perf_counter_ns()
    for _ in repeat(None, calls):
        pass
    return perf_counter_ns() - start


def share(module, extra: int, calls: int) -> float:
    """What a call takes longer with the further work, net of the loop: the median of pairs taken one right after the other."""
    found = []
    for pair in range(PAIRS):
        times = {}
        for work in (0, extra) if pair % 2 else (extra, 0):
            module.set_extra(work)
            times[work] = time(module.noop, calls)
        empty = time_empty(calls)
        found.append((times[extra] - empty) / (times[0] - empty) - 1)
    return statistics.median(found)


def main() -> None:
    """See above."""
    module = importlib.import_module(sys.argv[1])
    wanted = float(sys.argv[2])
    calls = 1
    while time(module.noop, calls) < LONG_ENOUGH_NS:
        calls *= 2
    tried: dict[int, float] = {}
    extra = 8
    while extra not in tried and len(tried) < TRIES:
        tried[extra] = share(module, extra, calls)
        # A few instructions cost nothing at all where others have to be waited for anyway.
        extra = max(1, round(extra * wanted / tried[extra])) if tried[extra] > wanted / 100 else extra * 4
    best = min(tried, key=lambda extra: abs(tried[extra] - wanted))
    print(json.dumps({"extra": best, "share": statistics.median(share(module, best, calls) for _ in range(REPEATS))}))


if __name__ == "__main__":
    main()
