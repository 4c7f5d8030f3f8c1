"""Byte pair encoding in plain Python: the kernel of `python/pure`, on a part of the text."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterator
from itertools import chain
from mmap import mmap
from pathlib import Path

from ..mapping import Chunk

sys.path.append(str(Path(__file__).parents[3] / "python"))  # a spawned child imports this module too, and finds it as well

from bindbench_python.pure.bpe import END, LETTER, NUMBER, classes, encode_buffer

BLOCK = 256


def encode(chunk: Chunk) -> bytes:
    """The ids of the tokens between the chunk's borders, moved to where the text can be cut; a neighbour moves them likewise."""
    text = chunk.map()
    start, end = cut(text, chunk.start), cut(text, chunk.end)
    part = str(memoryview(text)[start:end], "utf-8")  # one copy, that of the decoder: it reads the mapped pages
    return encode_buffer(part).tobytes()


def cut(text: mmap, near: int) -> int:
    """The first place at or after `near` between a letter or number and a character of another class, or the end of the text.

    There a piece ends, whatever came before; and how the text goes on has no say in it. All other places may be within a piece:
    `'` and `s`, or a space and the word after it.
    """
    if near == 0:
        return 0
    place = near - 1
    while place and text[place] & 0xC0 == 0x80:  # within a character
        place -= 1
    before = END
    for character in _characters(text, place):
        kind = classes[ord(character)]
        if kind != before and before in (LETTER, NUMBER):
            break
        place += len(character.encode())
        before = kind
    return place


def _characters(text: mmap, start: int) -> Iterator[str]:
    blocks = (text[place : place + BLOCK] for place in range(start, len(text), BLOCK))
    return chain.from_iterable(codecs.iterdecode(blocks, "utf-8"))
