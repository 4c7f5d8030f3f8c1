"""Byte pair encoding in the shared library, called by the children with ctypes."""

from __future__ import annotations

import os
from ctypes import addressof, byref, c_void_p, string_at
from pathlib import Path

from ..mapping import Chunk
from ..rust_kernel import Tokens, library, memory


def _load() -> c_void_p:
    folder = Path(os.environ["BINDBENCH_BPE"])
    tokens, classes = (folder / "cl100k_base.tokens").read_bytes(), (folder / "unicode.classes").read_bytes()
    made = c_void_p()
    library.bb_bpe_new(tokens, len(tokens), classes, len(classes), byref(made))
    return made


_vocabulary = _load()  # a forked child has the parent's: nothing writes to it, so no page of it is ever copied


def encode(chunk: Chunk) -> bytes:
    """The ids of the tokens between the chunk's borders, moved to where the text can be cut; a neighbour moves them likewise."""
    text = memory(chunk)
    start, end = (library.bb_bpe_cut(_vocabulary, addressof(text), chunk.size, near) for near in (chunk.start, chunk.end))
    tokens = Tokens()
    library.bb_bpe_encode(_vocabulary, addressof(text) + start, max(start, end) - start, byref(tokens))
    try:
        return string_at(tokens.data, 4 * tokens.length)
    finally:
        library.bb_tokens_free(byref(tokens))
