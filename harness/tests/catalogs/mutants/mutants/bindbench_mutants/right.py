"""The right operations, which the mutants make something wrong of. Those for byte pair encoding are of the lane `python/pure`."""

from __future__ import annotations

import sys
from array import array
from math import fsum, sqrt
from pathlib import Path
from typing import Any, Callable


def noop() -> None:
    pass


def add(a: int, b: int) -> int:
    return a + b


def length(data: bytes) -> int:
    return len(data)


def take_list(xs: list[int]) -> int:
    return sum(xs)


def give_list(n: int) -> list[int]:
    return list(range(n))


def call_back(f: Callable[[int], int], n: int) -> int:
    return sum(map(f, range(n)))


def fail() -> None:
    raise RuntimeError("as asked")


def find_all(text: bytes, pattern: bytes) -> list[int]:
    found, at = [], text.find(pattern)
    while at >= 0:
        found.append(at)
        at = text.find(pattern, at + 1)
    return found


def mean(data: Any) -> float:
    return fsum(data) / len(data)


def var(data: Any) -> float:
    center = mean(data)
    return fsum((x - center) ** 2 for x in data) / len(data)


def std(data: Any) -> float:
    return sqrt(var(data))


def encode(text: str) -> list[int]:
    return _tokens(text)


def encode_buffer(text: str) -> array[int]:
    return array("I", _tokens(text))


def _tokens(text: str) -> list[int]:
    if not _encoder:
        strategies = next(
            folder / "impls/python" for folder in Path(__file__).absolute().parents if (folder / "impls/python").is_dir()
        )
        sys.path.append(str(strategies))
        from bindbench_python.pure import bpe  # of the repository, in whose folder, or a link to it, this file is

        _encoder.append(bpe.encode)
    return _encoder[0](text)


_encoder: list[Callable[[str], list[int]]] = []

OPERATIONS: dict[str, Callable[..., Any]] = {
    "noop": noop,
    "add": add,
    "length": length,
    "take_list": take_list,
    "give_list": give_list,
    "call_back": call_back,
    "fail": fail,
    "find_all": find_all,
    "sum": fsum,
    "mean": mean,
    "var": var,
    "std": std,
    "encode": encode,
    "encode_buffer": encode_buffer,
}
