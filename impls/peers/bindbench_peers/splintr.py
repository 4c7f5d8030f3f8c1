"""splintr: Rust behind PyO3.

The `str` is borrowed. Out comes a list of ints, or, flat, one `bytes` object with four bytes for each id.
"""

from __future__ import annotations

from splintr import CL100K_BASE_PATTERN, Tokenizer

from .vocabulary import RANKS

_tokenizer = Tokenizer.from_bytes(RANKS.read_bytes(), CL100K_BASE_PATTERN, {})

encode = _tokenizer.encode_ordinary


def encode_buffer(text: str) -> memoryview:
    """The flat ids, looked at as what they are."""
    return memoryview(_tokenizer.encode_flat(text)).cast("I")
