"""The same tokens; their ids are read by index."""

from __future__ import annotations

from array import array
from ctypes import byref

from ..kernels import library
from ..rust.bpe import scan


def encode(text: str) -> list[int]:
    """The ids of the text's tokens. Each index is a call into ctypes, which makes an int."""
    tokens = scan(text)
    try:
        return [tokens.data[k] for k in range(tokens.length)]
    finally:
        library.bb_tokens_free(byref(tokens))


def encode_buffer(text: str) -> array[int]:
    """The ids as uint32: made into ints one by one, and back."""
    return array("I", encode(text))
