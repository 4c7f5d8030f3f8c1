"""The timed loop: the one Python programmers know, `for x in xs: r = f(x)` between two readings of the clock."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from itertools import cycle, islice, repeat
from time import perf_counter_ns, process_time_ns
from typing import Any, Callable

from .answers import answer, answer_of_call

Loop = Callable[[Callable[..., Any], Iterable[Any]], "tuple[int, int, Any]"]

_TEMPLATE = """\
def loop(call, inputs):
    answer = None
    start = perf_counter_ns()
    for {targets} in inputs:
        {body}
    end = perf_counter_ns()
    return start, end, answer
"""

_CATCHING = """\
try:
            {body}
        except RuntimeError:
            pass"""


def make_loop(arity: int, raises: bool, empty: bool) -> Loop:
    """A loop over calls with `arity` arguments, or the same loop without the call.

    It is compiled anew for every cell, as `timeit` does for every statement: CPython specialises a call in the code object that
    makes it, and PyPy traces it there. Two cells that shared one would spoil it for each other.
    """
    names = "".join(f"a{position}, " for position in range(arity)) if arity > 1 else "a" * arity
    body = "pass" if empty else f"answer = call({names})"
    if raises:
        body = _CATCHING.format(body=body)
    source = _TEMPLATE.format(targets=names or "_", body=body)
    namespace: dict[str, Any] = {"perf_counter_ns": perf_counter_ns}
    exec(compile(source, "<the timed loop>", "exec"), namespace)
    loop: Loop = namespace["loop"]
    return loop


def forgiving(call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, where it is expected to raise."""

    def caught(*arguments: Any) -> Any:
        with suppress(RuntimeError):
            return call(*arguments)

    return caught


def with_stopwatch(call: Callable[..., Any], clock: Callable[[], int] = perf_counter_ns) -> tuple[Callable[..., Any], list[int]]:
    """The call, and a list that gets the nanoseconds of each, also of those that raise."""
    spans: list[int] = []

    def timed(*arguments: Any) -> Any:
        start = clock()
        try:
            return call(*arguments)
        finally:
            spans.append(clock() - start)

    return timed, spans


def probe(call: Callable[..., Any], inputs: list[tuple[Any, ...]], passes: int) -> list[dict[str, Any]]:
    """Call on every input, and then again: answers, and the times of all calls by two clocks."""
    made = []
    for _ in range(passes):
        timed, cpu_ns = with_stopwatch(call, process_time_ns)
        timed, wall_ns = with_stopwatch(timed)
        answers = [answer_of_call(timed, arguments) for arguments in inputs]
        made.append({"answers": answers, "cpu_ns": cpu_ns, "wall_ns": wall_ns})
    return made


class Cell:
    """One operation, its pool of inputs, and loops of its own."""

    def __init__(self, call: Callable[..., Any], pool: list[tuple[Any, ...]], threads: int, raises: bool) -> None:
        if not pool or threads < 1:
            raise ValueError("a cell needs at least one input and one thread")
        arity = len(pool[0])
        if any(len(arguments) != arity for arguments in pool):
            raise ValueError("all inputs of a cell have the same number of arguments")
        self.call = call
        self.pool = pool
        # What the loop walks over: nothing to unpack where there is one argument, nothing at all where there is none.
        self._items: list[Any] | None = [arguments[0] if arity == 1 else arguments for arguments in pool] if arity else None
        self._threads = threads
        self._raises = raises
        self._loop = make_loop(arity, raises, empty=False)
        self._empty_loop = make_loop(arity, raises, empty=True)

    def verify(self, first: int, count: int | None) -> dict[str, Any]:
        """The answers to `count` items of the pool from `first` on, or to all the others, and what the first call took."""
        call, spans = with_stopwatch(self.call)
        end = None if count is None else first + count
        answers = []
        # One traceback is enough, and where an exception is what is expected, there is none to look into.
        with_traceback = not self._raises
        for arguments in self.pool[first:end]:
            answers.append(answer_of_call(call, arguments, with_traceback=with_traceback))
            with_traceback = with_traceback and "raised" not in answers[-1]
        return {"answers": answers, "first_ns": spans[0] if spans else None}

    def untimed(self, first: int) -> tuple[Callable[..., Any], Iterator[tuple[Any, ...]]]:
        """The call, and arguments for as many calls as one likes: the pool from an item on, around and around."""
        call = forgiving(self.call) if self._raises else self.call
        first %= len(self.pool)
        return call, cycle(self.pool[first:] + self.pool[:first])

    def sample(self, loops: int, first: int, empty: bool, around: AbstractContextManager[None] | None = None) -> dict[str, Any]:
        """Time `loops` calls in every thread, and return the time and each thread's last answer.

        The calls are made in the context `around`, which is entered before any clock is read.
        """
        if loops < 1:
            raise ValueError("a sample needs at least one call")
        # As `timeit` does: a collection belongs to whoever made the garbage, not to the call during which it happens.
        collects = gc.isenabled()
        gc.disable()
        try:
            with around or nullcontext():
                elapsed_ns, returned = self._time(self._loop, loops, first)
            sampled: dict[str, Any] = {"elapsed_ns": elapsed_ns}
            if empty:
                # After the calls: they find the caches in the same state, whether the empty loop is asked for or not.
                sampled["empty_ns"], _ = self._time(self._empty_loop, loops, first)
        finally:
            if collects:
                gc.enable()
        last = [(first + thread + loops - 1) % len(self.pool) for thread in range(self._threads)]
        if self._raises:
            answers = [answer_of_call(self.call, self.pool[item]) for item in last]
        else:
            answers = [answer(result) for result in returned]
        sampled["answers"] = [{"item": item, "answer": given} for item, given in zip(last, answers)]
        return sampled

    def _time(self, loop: Loop, loops: int, first: int) -> tuple[int, list[Any]]:
        """Nanoseconds from the first thread's start to the last one's end, and what each thread's last call returned."""
        inputs = [self._inputs(loops, first + thread) for thread in range(self._threads)]
        if self._threads == 1:
            spans = [loop(self.call, inputs[0])]
        else:
            # Most workers never need them, and would wait for them when they start.
            from concurrent.futures import ThreadPoolExecutor
            from threading import Barrier

            barrier = Barrier(self._threads)

            def run(own_inputs: Iterable[Any]) -> tuple[int, int, Any]:
                barrier.wait()
                return loop(self.call, own_inputs)

            # As every task waits at the barrier for all the others, each has a thread to itself.
            with ThreadPoolExecutor(self._threads) as executor:
                spans = list(executor.map(run, inputs))
        starts, ends, returned = zip(*spans)
        return max(ends) - min(starts), list(returned)

    def _inputs(self, loops: int, first: int) -> Iterable[Any]:
        """`loops` references to the pool's items, in order, around and around."""
        if self._items is None:
            return repeat(None, loops)
        first %= len(self._items)
        return list(islice(cycle(self._items[first:] + self._items[:first]), loops))
