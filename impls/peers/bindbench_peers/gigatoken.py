"""gigatoken: Rust behind PyO3.

The `str` is borrowed, and a NumPy array takes over the vector of ids without a copy. Every piece of text it has met is kept
with its ids, so the second time is not the first time: see the README.
"""

from __future__ import annotations

from gigatoken import Tokenizer

from .vocabulary import RANKS

_tokenizer = Tokenizer.from_tiktoken(RANKS, "cl100k", {})

encode_buffer = _tokenizer.backend.encode

# The first call imports NumPy and builds tables. Other threads run meanwhile, while it has the tokenizer borrowed: their calls
# raise RuntimeError("Already borrowed"). So it is made here, where the import lock keeps them out. Later calls keep the GIL to
# their end; a lock of ours would cost every one of them, for nothing.
encode_buffer("")


def encode(text: str) -> list[int]:
    """The array, boxed."""
    return encode_buffer(text).tolist()
