"""`bpe`: a text by another name."""

from __future__ import annotations

from .check import Check, Operation, counts_arguments
from .objects import LyingText

TEXT = "A few words, in äöü."


def _as_the_text_it_is(operation: str) -> Check:
    def complaint(call: Operation) -> str | None:
        wanted, given = (
            list(memoryview(ids) if operation.endswith("buffer") else ids) for ids in (call(TEXT), call(LyingText(TEXT)))
        )
        return None if given == wanted else f"expected {wanted}, got {given}"

    return Check(operation, "a str that lies", complaint, "text")


CHECKS = [
    check
    for operation in ("bpe.encode", "bpe.encode_buffer")
    for check in (
        *counts_arguments(operation, lambda: (TEXT,), "text"),
        _as_the_text_it_is(operation),
    )
]
