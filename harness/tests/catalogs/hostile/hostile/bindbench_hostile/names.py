"""Right lanes, whatever they are called: what is hard about them is in the manifest."""

from __future__ import annotations

from typing import Callable

__path__: list[str] = []  # the kinds are its submodules


def _right(a: int, b: int) -> int:
    return a + b


def __getattr__(kind: str) -> Callable[[int, int], int]:
    if kind.startswith("_"):
        raise AttributeError(kind)
    return _right
