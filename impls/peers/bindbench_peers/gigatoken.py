"""gigatoken: Rust behind PyO3.

The `str` is borrowed, and a NumPy array takes over the vector of ids without a copy. Every piece of text it has met is kept
with its ids, so the second time is not the first time: see the README.
"""

from __future__ import annotations

from gigatoken import Tokenizer

from .vocabulary import RANKS

_tokenizer = Tokenizer.from_tiktoken(RANKS, "cl100k", {})

encode_buffer = _tokenizer.backend.encode


def encode(text: str) -> list[int]:
    """The array, boxed."""
    return encode_buffer(text).tolist()
