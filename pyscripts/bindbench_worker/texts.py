"""Texts that a lane wrote: they may be of any length, and what writes them may fail in any way."""

from __future__ import annotations

import os
from contextlib import suppress

LONGEST = 2000
"""Characters that are sent of a text."""

LONGEST_NAME = 200
"""Characters that are sent of a type's name."""

# A metaclass may have attributes of its own by these names.
_NAME = type.__dict__["__name__"].__get__
_MRO = type.__dict__["__mro__"].__get__


def shortened(text: str, longest: int = LONGEST) -> str:
    """Head and tail of a text that is longer, and how much is left out between them."""
    if len(text) <= longest:
        return text
    tail = longest // 3
    return f"{text[: longest - tail]} […{len(text) - longest} characters left out…] {text[-tail:]}"


def printable(text: str) -> str:
    """The text without lone surrogates, which JSON can carry but no Rust string can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def name(kind: type) -> str:
    """A type's name."""
    return shortened(printable(str(_NAME(kind))), LONGEST_NAME)


def bases(kind: type, most: int = 64) -> list[str]:
    """Names of its base classes, the nearest first."""
    return [name(base) for base in _MRO(kind)[1 : most + 1]]


def message(error: BaseException) -> str:
    """`str(error)`, whole."""
    try:
        # A str of its own, whatever a subclass makes of its methods.
        return printable("".join(str(error)))
    except BaseException:
        return "(the exception cannot be printed)"


def traceback(error: BaseException) -> list[str]:
    """Its traceback, frame by frame, whole."""
    import traceback  # most workers never need it

    try:
        return list(map(printable, traceback.format_exception(type(error), error, error.__traceback__)))
    except BaseException:
        return ["(the traceback cannot be printed)"]


def log(text: str) -> None:
    """Write to the worker's log: all of it, or as much as goes."""
    unwritten = memoryview(text.encode("utf-8", "replace") + b"\n")
    # A lane may have closed the descriptor.
    with suppress(OSError):
        while unwritten:
            unwritten = unwritten[os.write(2, unwritten) :]
