"""Who holds the GIL while an operation runs: a thread that sleeps for half a millisecond, and looks how late it wakes.

It needs the GIL to go on. So it is late by as long as somebody else holds it, and by as long as it waited for a CPU, which the
system counts apart. It slows down what it watches: never in a worker whose samples count.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from threading import Event, Thread, get_native_id
from time import perf_counter_ns, sleep
from typing import Any, Callable

PERIOD_SECONDS = 0.0005
# What a beat takes when nothing is in its way is known after so long.
IDLE_SECONDS = 0.2
# Between calls the heart gets the GIL, whatever the switch interval.
PAUSE_SECONDS = 0.001
# A call so quick that there are more of them is too quick to tell anything about.
MOST_CALLS = 10_000


class Heart(Thread):
    """Beats until it is stopped. A beat is (asleep, awake, own wait for a CPU, the watched one's time on one), in nanoseconds."""

    def __init__(self, watched: int) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self.queues_known = True
        self._watched = watched
        self._beats: list[tuple[int, int, int, int]] = []
        self._ending = Event()

    def run(self) -> None:
        """Sleep, look at the clock, and again."""
        own_queue, watched_run = self._statistic(get_native_id(), 1), self._statistic(self._watched, 0)
        own, watched = own_queue(), watched_run()
        asleep = perf_counter_ns()
        while not self._ending.is_set():
            sleep(PERIOD_SECONDS)
            awake = perf_counter_ns()
            own_now, watched_now = own_queue(), watched_run()
            self._beats.append((asleep, awake, own_now - own, watched_now - watched))
            # The time until here is nobody's: it is not part of the next beat.
            own, watched, asleep = own_now, watched_now, perf_counter_ns()

    def take(self) -> list[dict[str, int]]:
        """The beats since the last time."""
        taken, self._beats = self._beats, []
        names = ("start_ns", "end_ns", "queue_ns", "caller_ran_ns")
        return [dict(zip(names, beat)) for beat in taken]

    def stop(self) -> None:
        """Let it finish its beat, and wait for it."""
        self._ending.set()
        self.join()

    def _statistic(self, thread: int, place: int) -> Callable[[], int]:
        """How long a thread has been on a CPU (0) or has waited for one (1) so far; always 0 where the system does not tell."""
        try:
            # Kept open: opening it takes longer than reading. The process ends soon.
            statistics = os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY)
            os.pread(statistics, 64, 0).split()[place]
        except (OSError, IndexError):
            self.queues_known = False
            return lambda: 0
        return lambda: int(os.pread(statistics, 64, 0).split()[place])


def watch(
    call: Callable[..., Any], inputs: Iterator[tuple[Any, ...]], duration_ns: int, switch_interval_ns: int
) -> dict[str, Any]:
    """Call for so long; the beats before and meanwhile, and when each call began and ended."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(switch_interval_ns / 1e9)
    heart = Heart(get_native_id())
    heart.start()
    try:
        sleep(IDLE_SECONDS)
        idle = heart.take()
        calls = []
        latest = perf_counter_ns() + duration_ns
        while (start := perf_counter_ns()) < latest and len(calls) < MOST_CALLS:
            call(*next(inputs))
            calls.append((start, perf_counter_ns()))
            sleep(PAUSE_SECONDS)
    finally:
        heart.stop()
        sys.setswitchinterval(usual)
    return {
        "queues_known": heart.queues_known,
        "idle": idle,
        "beats": heart.take(),
        "calls": [{"start_ns": start, "end_ns": end} for start, end in calls],
    }
