"""The right tokens: those of the package `tiktoken`, with which lanes share nothing but the vocabulary."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from reference import integers

if TYPE_CHECKING:
    import tiktoken

BPE = "BINDBENCH_BPE"
"""Environment variable with the folder of the vocabulary."""

CACHED = "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
"""The name `tiktoken` looks for cl100k_base under, and the digest that it wants to find."""
SHA256 = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"

TOKENS = 100_256


def encode(text: str) -> list[int]:
    """The ids of the text's tokens. Do not ask for a piece of 100,000 bytes, for that takes seconds."""
    return _encoding().encode_ordinary(text)


def encode_pieces(*pieces: str) -> list[int]:
    """The same for texts of which the pieces are known, however long they are."""
    return list(chain.from_iterable(map(_merge, pieces)))


def digest(tokens: list[int]) -> dict[str, Any]:
    """What a worker says of them, as a list or a buffer."""
    described: dict[str, Any] = integers(tokens, with_values=False)["integers"]
    return described


def difference(text: str, expected: list[int], answer: dict[str, Any]) -> str:
    """Where the answer leaves the right way."""
    ((kind, given),) = answer.items()
    if kind not in ("integers", "uint32"):
        return f"{_short(text)}: {answer}"
    pairs = zip([*expected, None], [*given["values"], None])
    first = next((i for i, (right, wrong) in enumerate(pairs) if right != wrong), None)
    if first is None:
        return f"{_short(text)}: right when asked alone, wrong among others, or of a wrong type: {kind}"
    memory = text.encode()
    start = sum(len(_bytes_of_tokens()[token]) for token in expected[:first])
    around = memory[max(0, start - 30) : start + 40].decode(errors="backslashreplace")
    wanted, got = _shown(expected[first : first + 5]), _shown(given["values"][first : first + 5])
    return f"{_short(text)}: from byte {start} of {len(memory)} on (around it: {around!r}) expected {wanted}, got {got}"


def _merge(piece: str) -> list[int]:
    """The tokens of one piece, pass by pass: in each, the pairs of lowest rank are merged from left to right.

    A run of one letter takes a pass for every doubling.
    """
    ranks = _ranks()
    parts = [bytes([byte]) for byte in piece.encode()]
    while True:
        lowest = min((ranks.get(a + b, TOKENS) for a, b in zip(parts, parts[1:])), default=TOKENS)
        if lowest == TOKENS:
            return [ranks[part] for part in parts]
        merged: list[bytes] = []
        place = 0
        while place < len(parts):
            pair = b"".join(parts[place : place + 2])
            if place + 1 == len(parts) or ranks.get(pair) != lowest:
                merged.append(parts[place])
                place += 1
                continue
            before, after = b"".join(merged[-1:]) + pair, pair + b"".join(parts[place + 2 : place + 3])
            merged.append(pair)
            place += 2
            if ranks.get(before, TOKENS) < lowest or ranks.get(after, TOKENS) < lowest:
                break  # it has made a pair that comes first
        parts = merged + parts[place:]


def _shown(tokens: list[int]) -> str:
    return ", ".join(f"{token} {_bytes_of_tokens()[token] if token < TOKENS else 'unknown'!r}" for token in tokens) or "the end"


def _short(text: str) -> str:
    return repr(text) if len(text) <= 200 else f"a text of {len(text)} characters"


@lru_cache(maxsize=1)
def _encoding() -> tiktoken.Encoding:
    try:
        import tiktoken
    except ImportError as error:
        pytest.fail(
            f"bpe is tested against tiktoken, which this Python can't import ({error}); has it a wheel for it?", pytrace=False
        )
    folder = os.environ.get(BPE)
    if folder is None:
        pytest.fail(f"{BPE} names no folder, and the list of lanes has none", pytrace=False)
    # With another file, or none, tiktoken would go and download it.
    try:
        found = hashlib.sha256((Path(folder) / CACHED).read_bytes()).hexdigest()
    except OSError as error:
        pytest.fail(f"{BPE}: no vocabulary for tiktoken: {error}", pytrace=False)
    if found != SHA256:
        pytest.fail(f"{BPE}: {CACHED} is not the vocabulary cl100k_base", pytrace=False)
    os.environ["TIKTOKEN_CACHE_DIR"] = folder
    return tiktoken.get_encoding("cl100k_base")


@lru_cache(maxsize=1)
def _bytes_of_tokens() -> list[bytes]:
    return list(map(_encoding().decode_single_token_bytes, range(TOKENS)))


@lru_cache(maxsize=1)
def _ranks() -> dict[bytes, int]:
    return {token: rank for rank, token in enumerate(_bytes_of_tokens())}
