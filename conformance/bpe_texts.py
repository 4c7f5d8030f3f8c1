"""Long texts and the digests of their tokens: made once, for all lanes and for all processes the suite runs in."""

from __future__ import annotations

import fcntl
import json
import random
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from arguments import Argument, in_file, write_slices
from bpe_reference import digest, encode

Tokenized = tuple[str, list[int]]

CHARACTERS = [chr(i) for i in range(sys.maxunicode + 1) if not 0xD800 <= i < 0xE000]

_CATEGORIES = [unicodedata.category(c) for c in CHARACTERS]

ASSIGNED = [c for c, category in zip(CHARACTERS, _CATEGORIES) if category != "Cn"]
"""Those that the Unicode of this Python knows: on the others, lanes and the reference may follow different editions."""

EDGES = [
    c
    for c, before, category, after in zip(CHARACTERS, ["", *_CATEGORIES], _CATEGORIES, [*_CATEGORIES[1:], ""])
    if not before == category == after
]
"""Where a table of classes may go wrong: the first and the last of all that stand side by side in one category."""

# Most of the things pieces are made of, and cut at: short, so that a place in a text is hardly ever far from a border.
FRAGMENTS = [
    *("a", "B", "word", "Words", "'s", "'LL", "'Ve", "'ſ", "'x", "’s", "1", "22", "333", "4444", "1a", "½", "٣", "Ⅷ"),
    *(" ", " ", "  ", "   ", "\t", "\n", "\n", "\r", "\r\n", "\n\n", " \n", "\v", "\x1f", "\x85", "\xa0", "\u2028", "\u3000"),
    *(
        ".",
        "...",
        "!\n",
        " (",
        "_",
        "'",
        "''",
        "\0",
        "é",
        "e\u0301",
        "\u0301",
        "日本",
        "한",
        "ไท",
        "😀",
        "👩🏽‍💻",
        "\u200d",
        "\U0010ffff",
    ),
]


@dataclass(frozen=True)
class LongTexts:
    """Slices of one file, in UTF-8."""

    path: Path
    slices: list[tuple[int, int]]
    tokens: list[dict[str, Any]]
    """Of each slice, the digest."""

    def arguments(self, form: str) -> list[Argument]:
        """The texts in one of the forms a lane takes."""
        shape = {"text": "text", "mapped": "mapped_bytes"}[form]
        return [in_file(self.path, offset, count, shape) for offset, count in self.slices]

    def text(self, number: int) -> str:
        """One of them."""
        offset, count = self.slices[number]
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(count).decode()

    def some(self, most: int) -> LongTexts:
        """Not more than so many of them, from all over."""
        step = -(-len(self.slices) // most)
        return LongTexts(self.path, self.slices[::step], self.tokens[::step])


class Shelf:
    """A folder of long texts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: dict[str, LongTexts] = {}

    def take(self, name: str, make: Callable[[], Iterable[Tokenized]]) -> LongTexts:
        """The texts of this name. Who comes first makes them, and the others wait."""
        if name not in self._taken:
            path, index = self._folder / f"{name}.txt", self._folder / f"{name}.json"
            with (self._folder / f"{name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not index.exists():
                    memories, digests = zip(*((text.encode(), digest(tokens)) for text, tokens in make()))
                    offsets = write_slices(path, list(memories))
                    index.write_text(json.dumps([[*zip(offsets, map(len, memories))], digests]))
            slices, tokens = json.loads(index.read_text())
            self._taken[name] = LongTexts(path, slices, tokens)
        return self._taken[name]

    def every_character(self) -> LongTexts:
        """Every character there is, where a wrong class of it shows."""
        return self.take("every-character", lambda: _surrounded(CHARACTERS))

    def assigned_characters(self) -> LongTexts:
        """The same with those that the Unicode of this Python knows."""
        return self.take("assigned-characters", lambda: _surrounded(ASSIGNED))

    def some_characters(self) -> LongTexts:
        """The same with fewer of them."""
        return self.take("some-characters", lambda: _surrounded(sorted({*EDGES, *CHARACTERS[::61]})))

    def every_character_twice(self) -> LongTexts:
        """Every character between letters and by itself, in few texts: for lanes that take long with each, or with many."""
        return self.take("every-character-twice", lambda: _twice(CHARACTERS))

    def small_pieces(self, size: int, shifts: int) -> LongTexts:
        """One long text of small pieces, which in each slice begins a byte later: a cut at the same place falls elsewhere."""
        return self.take(f"small-pieces-{size}", lambda: _shifted(size, shifts))


def _surrounded(characters: list[str]) -> Iterator[Tokenized]:
    """Texts of the characters, each at all places where its class matters to what stands around it.

    Between letters it may go with them; white space takes all three spaces before it; punctuation takes the apostrophe behind it,
    so that `ve` is no contraction; a number takes two digits behind it, and not three. Between digits, what is no number is a
    piece by itself.
    """
    for start in range(0, len(characters), 4096):
        text = "".join(f"a{c}a   {c}'ve1{c}2345" for c in characters[start : start + 4096])
        yield text, encode(text)


def _twice(characters: list[str]) -> Iterator[Tokenized]:
    for start in range(0, len(characters), 65_536):
        text = "".join(f"a{c}a {c} " for c in characters[start : start + 65_536])
        yield text, encode(text)


def _shifted(size: int, shifts: int) -> Iterator[Tokenized]:
    chance = random.Random(size)
    body, length = ["\n"], 1
    while length < size:
        body.append(chance.choice(FRAGMENTS))
        length += len(body[-1].encode())
    text = "".join(body)
    tokens = encode(text)
    for shift in range(shifts):
        # No piece begins with letters and goes on in a new line.
        yield "x" * shift + text, encode("x" * shift) + tokens
