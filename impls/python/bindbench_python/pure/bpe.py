"""Byte pair encoding, written out: a text is cut into pieces, and what is no token is merged from its bytes.

The Python lanes of `impls/multiprocess` run this file in their children.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from pathlib import Path
from typing import Union

OTHER, LETTER, NUMBER, SPACE, END = range(5)  # the classes of characters; the last one is that of no character
LINE_ENDS = frozenset("\r\n")
ONE_LETTER, TWO_LETTERS = frozenset("sdmtſ"), frozenset(("ll", "ve", "re"))  # 's, 'll …; ſ is an s where case is ignored

NONE = 0xFFFFFFFF  # where there is no rank, and no place

Ids = Union["list[int]", "array[int]"]


def _ranks(vocabulary: bytes) -> dict[bytes, int]:
    ranks: dict[bytes, int] = {}
    start = 0
    while start < len(vocabulary):
        end = start + 1 + vocabulary[start]  # a byte says how long the token is
        ranks[vocabulary[start + 1 : end]] = len(ranks)
        start = end
    return ranks


_folder = Path(os.environ["BINDBENCH_BPE"])
classes = (_folder / "unicode.classes").read_bytes()
ranks = _ranks((_folder / "cl100k_base.tokens").read_bytes())


def encode(text: str) -> list[int]:
    """The ids in a list. Most of them are objects that exist already: the vocabulary's own."""
    ids: list[int] = []
    tokenize(pieces(text), ids)
    return ids


def encode_buffer(text: str) -> array[int]:
    """The ids as they would lie in memory in C: 4 bytes each, no objects."""
    ids = array("I")
    tokenize(pieces(text), ids)
    return ids


def pieces(text: str) -> Iterator[str]:
    """The pieces of the text, as the vocabulary's pattern finds them."""
    text = str.__str__(text)  # raises TypeError for what is none; of a subclass, it is the text that it holds
    kinds = bytes(map(classes.__getitem__, map(ord, text))) + bytes([END])  # the end stops every run: no loop asks where it is
    start = 0
    while start < len(text):
        end = start + 1
        kind = kinds[start]
        if text[start] == "'" and (letters := _contracted(text, end)):
            end += letters
        elif kind != NUMBER and kinds[end] == LETTER and text[start] not in "\r\n":
            while kinds[end] == LETTER:  # what the run starts with may be anything else: a space, mostly
                end += 1
        elif kind == NUMBER:
            while kinds[end] == NUMBER and end < start + 3:
                end += 1
        elif kind == OTHER or (text[start] == " " and kinds[end] == OTHER):
            while kinds[end] == OTHER:
                end += 1
            while text[end : end + 1] in LINE_ENDS:
                end += 1
        elif kind == SPACE:
            while kinds[end] == SPACE:
                end += 1
            if kinds[end] != END:  # up to the last line end, or else a space is left to what follows
                end = max(text.rfind("\r", start, end), text.rfind("\n", start, end)) + 1 or max(start + 1, end - 1)
        yield text[start:end]
        start = end


def _contracted(text: str, start: int) -> int:
    # How many letters of a contraction stand here.
    letters = text[start : start + 2].lower()
    return 1 if letters[:1] in ONE_LETTER else 2 if letters in TWO_LETTERS else 0


def tokenize(pieces: Iterator[str], ids: Ids) -> None:
    """Append the ids of the pieces' tokens."""
    columns = array("I"), array("I"), array("I"), array("I")  # of this call, not of the module: threads call at the same time
    for piece in pieces:
        octets = piece.encode()
        rank = ranks.get(octets)
        if rank is not None:
            ids.append(rank)
        else:
            merge(octets, columns, ids)


def merge(piece: bytes, columns: tuple[array[int], ...], ids: Ids) -> None:
    """Merge the neighbours of the lowest rank, the leftmost first, until no two are a token.

    A place is the byte a token starts at. The places that are left make a list, linked in both directions; the heap has the pairs
    by rank and place in one int. What is in the heap is never looked for: an entry is stale if its place has another rank by now.
    """
    size = len(piece)
    for column in columns:
        if len(column) < size:
            column.frombytes(bytes(4 * (size - len(column))))
    following, previous, tokens, pairs = columns

    for place in range(size):
        following[place] = place + 1
        previous[place] = place - 1 if place else NONE
        tokens[place] = ranks[piece[place : place + 1]]
        pairs[place] = ranks.get(piece[place : place + 2], NONE)
    pairs[size - 1] = NONE  # a pair of one

    heap = [pairs[place] << 32 | place for place in range(size) if pairs[place] != NONE]
    heapify(heap)
    while heap:
        entry = heappop(heap)
        rank, place = entry >> 32, entry & 0xFFFFFFFF
        if pairs[place] != rank:
            continue
        right = following[place]
        end = following[right]
        tokens[place] = rank
        following[place] = end
        pairs[place] = pairs[right] = NONE
        if end < size:
            previous[end] = place
            rank = pairs[place] = ranks.get(piece[place : following[end]], NONE)
            if rank != NONE:
                heappush(heap, rank << 32 | place)
        left = previous[place]
        if left != NONE:
            rank = pairs[left] = ranks.get(piece[left:end], NONE)
            if rank != NONE:
                heappush(heap, rank << 32 | left)

    place = 0
    while place < size:
        ids.append(tokens[place])
        place = following[place]
