"""The first call of an operation, from several threads at once, in a process where nobody has called the lane before.

The driver verifies an operation before it measures threads: what a lane puts off until its first call is done by then, by one
thread alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Callable

import pytest
from arguments import Argument, data, function, integer, listed
from bpe_reference import digest, encode
from lanes import RunningLane, bpe_argument, kmp_argument, std_argument
from reference import Moments, find_all, integers

Start = Callable[[str], RunningLane]
Right = Callable[[Any], bool]
Case = tuple[list[Argument], Right]
"""What one thread calls with, and whether an answer is right."""

THREADS = 4

HASTY = "import sys\nsys.setswitchinterval(1e-6)\n"
"""A module: threads take turns a thousand times as often, so that they meet in whatever only the first of them should do."""


@pytest.fixture
def start(lane: RunningLane, tmp_path: Path) -> Iterator[Start]:
    """A worker that has imported one workload of the lane, and called nothing."""
    (tmp_path / "hasty.py").write_text(HASTY)
    started: list[RunningLane] = []

    def start(workload: str) -> RunningLane:
        load = lane.lane.worker["load"]
        if lane.lane.in_python:
            modules = {"hasty": "hasty", workload: load["modules"][workload]}
            load = {**load, "paths": [*load["paths"], str(tmp_path)], "modules": modules}
        started.append(RunningLane(replace(lane.lane, worker={**lane.lane.worker, "load": load}), tmp_path))
        return started[-1]

    yield start
    for fresh in started:
        fresh.stop()


@pytest.mark.over("call.add")
def test_call(lane: RunningLane, start: Start) -> None:
    fresh = start("call")
    cases: dict[str, list[Case]] = {
        "noop": [([], equal({"none": None})) for _ in range(THREADS)],
        "add": [([integer(i), integer(2**40)], equal(integer(i + 2**40))) for i in range(THREADS)],
        "length": [([data(b"a" * i)], equal(integer(i))) for i in range(THREADS)],
        "take_list": [([listed(*map(integer, range(i)))], equal(integer(sum(range(i))))) for i in range(THREADS)],
        "give_list": [([integer(i)], equal(integers(list(range(i)), with_values=False))) for i in range(THREADS)],
        "call_back": [([function("identity"), integer(i)], equal(integer(sum(range(i))))) for i in range(THREADS)],
        "fail": [([], lambda answer: answer["raised"]["type"] == "RuntimeError") for _ in range(THREADS)],
    }
    for name in few_if_slow(lane, [name for name in cases if lane.lane.has(f"call.{name}")]):
        call_at_once(fresh, f"call.{name}", cases[name])


@pytest.mark.over("kmp.find_all")
def test_kmp(lane: RunningLane, start: Start) -> None:
    fresh = start("kmp")
    for form in lane.lane.forms("kmp"):
        texts = [b"ab" * (10_000 + i) for i in range(THREADS)]
        expected = [integers(find_all(text, b"aba"), with_values=False) for text in texts]
        arguments = [[kmp_argument(fresh, form, text), data(b"aba")] for text in texts]
        call_at_once(fresh, "kmp.find_all", list(zip(arguments, map(equal, expected))))


@pytest.mark.over("std.sum")
def test_std(lane: RunningLane, start: Start) -> None:
    fresh = start("std")
    for name in few_if_slow(lane, ["std", "var", "mean", "sum"]):
        for form in lane.lane.forms("std"):
            samples = [numbers(thread, 200 if form == "boxed" else 20_000) for thread in range(THREADS)]
            arguments = [[std_argument(fresh, form, items)] for items, _ in samples]
            call_at_once(fresh, f"std.{name}", list(zip(arguments, (accepted(name, moments) for _, moments in samples))))


@pytest.mark.over("bpe.encode")
def test_bpe(lane: RunningLane, start: Start) -> None:
    fresh = start("bpe")
    for name, kind in few_if_slow(lane, [("encode_buffer", "uint32"), ("encode", "integers")]):
        if lane.lane.has(f"bpe.{name}"):
            for form in lane.lane.forms("bpe"):
                texts = [f"{i} antidisestablishmentarianism, 日本語のテキスト\n" * 50 for i in range(THREADS)]
                arguments = [[bpe_argument(fresh, form, text)] for text in texts]
                expected = [{kind: digest(encode(text))} for text in texts]
                call_at_once(fresh, f"bpe.{name}", list(zip(arguments, map(equal, expected))))


@cache
def numbers(thread: int, count: int) -> tuple[list[float], Moments]:
    """Other numbers for each thread, more than one thread of a lane's own would take alone, and their moments."""
    items = [float((thread + 1) * i % 11) for i in range(count + thread)]
    return items, Moments(items)


def call_at_once(lane: RunningLane, operation: str, cases: list[Case]) -> None:
    """A call in each of as many threads as there are cases, which a barrier sets off together."""
    pool = [arguments for arguments, _ in cases]
    lane.prepare(operation, pool, threads=len(pool), raises=operation == "call.fail")
    answers = lane.ask({"sample": {"cell": 0, "loops": 1, "first": 0}})["sampled"]["answers"]
    assert [given["item"] for given in answers] == list(range(len(pool)))
    for given, (_, right) in zip(answers, cases):
        assert right(given["answer"]), f"{operation}, thread {given['item']}: {given['answer']}"


def few_if_slow(lane: RunningLane, operations: list[Any]) -> list[Any]:
    """One operation where each call starts processes of its own: they are alike."""
    return operations[:1] if lane.is_slow else operations


def equal(expected: object) -> Right:
    """An exact answer."""
    return lambda answer: answer == expected


def accepted(name: str, moments: Moments) -> Right:
    """One of these moments."""
    return lambda answer: moments.accept(name, answer)
