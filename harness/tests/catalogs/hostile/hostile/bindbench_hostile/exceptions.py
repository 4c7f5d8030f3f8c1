"""Exceptions that are hard to tell of."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

__path__: list[str] = []  # the kinds are its submodules


class CannotBeShown(Exception):
    """Raises when it is asked what it is about."""

    def __str__(self) -> str:
        raise RuntimeError("do not ask")

    __repr__ = __str__


class Endless(Exception):
    """Never comes to the point."""

    def __str__(self) -> str:
        time.sleep(1000)
        return "at last"


class Quits(Exception):
    """Ends the process of whoever asks."""

    def __str__(self) -> str:
        os._exit(8)


class NoText(Exception):
    """Answers with what is no text."""

    def __str__(self) -> Any:
        return 7


class Unfair(Exception):
    """Nothing about it is what it should be."""

    def __getattribute__(self, name: str) -> Any:
        raise BaseException(f"no {name}")


def nine_megabytes(a: int, b: int) -> int:
    raise ValueError("head " + "middle " * 1_300_000 + "tail")


def a_hundred_thousand_lines(a: int, b: int) -> int:
    raise ValueError("line\n" * 100_000)


def escapes(a: int, b: int) -> int:
    raise ValueError("before\x1b[31m\x1b[2J\x1b]0;title\x07\x9b5mafter")


def nul(a: int, b: int) -> int:
    raise ValueError("before\0after")


def script(a: int, b: int) -> int:
    raise ValueError("</pre></td><script>alert('message')</script><img src=x onerror=alert(1)>")


def markdown(a: int, b: int) -> int:
    raise ValueError("| a | b |\n|---|---|\n# heading\n[link](javascript:alert(1)) `code` <b>")


def surrogates(a: int, b: int) -> int:
    raise ValueError("before\ud800\udfffafter")


def right_to_left(a: int, b: int) -> int:
    raise ValueError("before\u202e\u2066 live \u2069 after \u200b\ufeff 💥 e\u0301")


def formula(a: int, b: int) -> int:
    raise ValueError('=HYPERLINK("http://example.org";"x")\r\n@SUM(1)\t-1+1')


def empty(a: int, b: int) -> int:
    raise ValueError


def cannot_be_shown(a: int, b: int) -> int:
    raise CannotBeShown


def endless(a: int, b: int) -> int:
    raise Endless


def quits(a: int, b: int) -> int:
    raise Quits


def no_text(a: int, b: int) -> int:
    raise NoText


def unfair(a: int, b: int) -> int:
    raise Unfair("x")


def name_of_html(a: int, b: int) -> int:
    raise type("<script>alert('name')</script>", (Exception,), {})("a name")


def name_of_a_megabyte(a: int, b: int) -> int:
    raise type("N" * 1_000_000, (Exception,), {})("a long name")


def a_chain(a: int, b: int) -> int:
    error: Exception = ValueError(0)
    for number in range(5_000):
        following = ValueError(number)
        following.__cause__ = error
        error = following
    raise error


def a_circle(a: int, b: int) -> int:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    raise first


def a_group(a: int, b: int) -> int:
    if sys.version_info < (3, 11):
        raise ValueError("no group")
    raise ExceptionGroup("group", [ValueError(number) for number in range(100_000)])  # noqa: F821


def deep(a: int, b: int) -> int:
    sys.setrecursionlimit(10_000)

    def down(depth: int) -> int:
        return down(depth - 1) if depth else 1 // 0

    return down(4_000)


def odd_syntax_error(a: int, b: int) -> int:
    raise SyntaxError("text", ("<file>\n", 10**30, -5, "x" * 1_000_000, 10**30, 3))


def with_notes(a: int, b: int) -> int:
    error = ValueError("with notes")
    error.__notes__ = 7  # type: ignore[attr-defined]
    raise error


def a_wrong_runtime_error(a: int, b: int) -> int:
    """The type that another operation is expected to raise."""
    raise RuntimeError("fail")
