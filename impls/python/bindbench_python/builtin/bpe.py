"""`str.translate` and `re` cut the text, and a `dict` knows the tokens; merging is by hand, as in the other lane.

`re` has no `\\p{L}`, and its `\\w` and `\\s` are other sets, different ones on each interpreter. Sets with all their ranges spelt
out are slow: a character that is in none is compared with hundreds of them. So each character is first replaced by one for its
class, which leaves ASCII for `re`.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator

from ..pure.bpe import classes, tokenize


def _table() -> str:
    table = bytearray(classes.translate(bytes.maketrans(bytes(range(4)), b".L0\t")))  # the index is the code point
    for same in b" \r\n'":
        table[same] = same
    for letter in b"sdmtlver":
        table[letter] = table[letter - 32] = letter  # the letters of 's, 't, 'll …, in either case
    table[ord("ſ")] = ord("s")
    return table.decode()


_TABLE = _table()

# The vocabulary's pattern, with what is left of its classes. Possessive quantifiers came with Python 3.11 and aren't needed: no
# part matches what the one before it could give back. \Z and not $, which is before a last line end too.
_PIECE = re.compile(
    r"'(?:[sdmt]|ll|ve|re)|[^\r\nA-Za-z0]?[A-Za-z]+|0{1,3}| ?[^\sA-Za-z0]+[\r\n]*|\s+\Z|\s*[\r\n]|\s+(?!\S)|\s", re.ASCII
)


def encode(text: str) -> list[int]:
    """The ids in a list."""
    ids: list[int] = []
    tokenize(_pieces(text), ids)
    return ids


def encode_buffer(text: str) -> array[int]:
    """The ids in an array."""
    ids = array("I")
    tokenize(_pieces(text), ids)
    return ids


def _pieces(text: str) -> Iterator[str]:
    text = str.__str__(text)  # raises TypeError for what is none; of a subclass, it is the text that it holds
    for piece in _PIECE.finditer(text.translate(_TABLE)):
        yield text[piece.start() : piece.end()]
