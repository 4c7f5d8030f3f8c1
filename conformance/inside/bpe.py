"""`bpe`: a text by another name, or longer than a package may have been made for."""

from __future__ import annotations

from .check import Check, Operation, counts_arguments, starves
from .objects import LyingText

TEXT = "A few words, in äöü."

LONG = {"a million": 1_000_000, "six million": 6_000_000}
LONGEST = 128
"""Spaces in the longest token that has nothing else."""


def _as_the_text_it_is(operation: str) -> Check:
    def complaint(call: Operation) -> str | None:
        wanted, given = _ids(operation, call, TEXT), _ids(operation, call, LyingText(TEXT))
        return None if given == wanted else f"expected {wanted}, got {given}"

    return Check(operation, "a str that lies", complaint, "text")


def _long_space(operation: str, name: str) -> Check:
    """The last space goes with the word, which a regular expression finds out from the end of a very long match."""

    def complaint(call: Operation) -> str | None:
        whole, rest = divmod(LONG[name] - 1, LONGEST)
        parts = [(LONGEST * " ", whole), (rest * " ", 1), (" word", 1)]
        wanted = [token for text, times in parts for token in _ids(operation, call, text) * times]
        given = _ids(operation, call, LONG[name] * " " + "word")
        return None if given == wanted else f"{len(given)} tokens, not {len(wanted)}, or other ones"

    return Check(operation, f"{name} spaces and a word", complaint, "text", package=True)


def _ids(operation: str, call: Operation, text: str) -> list[int]:
    ids = call(text)
    return list(memoryview(ids) if operation.endswith("buffer") else ids)


CHECKS = [
    check
    for operation in ("bpe.encode", "bpe.encode_buffer")
    for check in (
        *counts_arguments(operation, lambda: (TEXT,), "text"),
        _as_the_text_it_is(operation),
        _long_space(operation, "a million"),
        starves(
            operation, "more tokens than memory holds", lambda: (" a" * 50_000,), lambda: (" hello" * 200_000,), 200_000, "text"
        ),
    )
]
# Long enough for one of them: a lane has one regular expression for both operations.
CHECKS.append(_long_space("bpe.encode", "six million"))
