"""Byte pair encoding in the shared library: the text is copied on the way in, the ids on the way out, each at once."""

from __future__ import annotations

from array import array
from ctypes import byref, c_void_p, memmove

from .. import vocabulary
from ..kernels import Tokens, library

_encode, _free = library.bb_bpe_encode, library.bb_tokens_free


def _load() -> c_void_p:
    tokens, classes = vocabulary.read()
    made = c_void_p()
    library.bb_bpe_new(tokens, len(tokens), classes, len(classes), byref(made))
    return made


_vocabulary = _load()  # as long as the process; it never changes, so threads share it


def encode(text: str) -> list[int]:
    """The ids of the text's tokens: an array of them, boxed at once."""
    return encode_buffer(text).tolist()


def encode_buffer(text: str) -> array[int]:
    """The ids as uint32: the library's memory is copied at once into an array, and given back."""
    tokens = scan(text)
    try:
        ids = array("I", [0]) * tokens.length
        memmove(ids.buffer_info()[0], tokens.data, 4 * tokens.length)
        return ids
    finally:
        _free(byref(tokens))


def scan(text: str) -> Tokens:
    """The ids, in the library's memory. ctypes can't see the characters in a str: each call makes them anew as UTF-8."""
    data = str.encode(text)  # TypeError for what is no str, UnicodeEncodeError for a lone surrogate
    tokens = Tokens()
    _encode(_vocabulary, data, len(data), byref(tokens))
    return tokens
