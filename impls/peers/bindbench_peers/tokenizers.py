"""tokenizers: Rust behind PyO3, put together from parts.

The text is copied into a Rust `String`, then into a structure that follows every character through the pipeline, and the GIL is
released meanwhile. Out comes an Encoding, whose `ids` are made a list when asked for.

Its BPE takes merges in the order in which they were learnt, not ranks. They can be had from the ranks: a token's two halves are
what is left when its bytes are merged with tokens of lower rank only.
"""

from __future__ import annotations

import os

from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from .vocabulary import FOLDER

_PATTERN = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+\z|\s*[\r\n]|\s+(?!\S)|\s"
"""The vocabulary's pattern in Oniguruma's words, where `$` is the end of a line and `{1,3}+` isn't possessive."""

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # else a batch, even of one text, goes to a pool of threads


def _tokens() -> list[bytes]:
    """Every token at the index that is its id; in the file each has its length before it."""
    packed = (FOLDER / "cl100k_base.tokens").read_bytes()
    tokens, place = [], 0
    while place < len(packed):
        end = place + 1 + packed[place]
        tokens.append(packed[place + 1 : end])
        place = end
    return tokens


def _halves(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """The last merge that makes the token: all others are of lower rank."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        place = min(range(len(parts) - 1), key=lambda i: ranks.get(parts[i] + parts[i + 1], len(ranks)))
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    left, right = parts
    return left, right


def _letters() -> list[str]:
    """The character that stands for each byte: itself where it is printable, the next unused one from 256 on where not."""
    printable = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    unused = iter(range(256, 512))
    return [chr(byte if byte in printable else next(unused)) for byte in range(256)]


def _tokenizer() -> Tokenizer:
    letters = _letters()

    def spelt(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    tokens = _tokens()
    ranks = {token: rank for rank, token in enumerate(tokens)}
    merges = [tuple(map(spelt, _halves(token, ranks))) for token in tokens if len(token) > 1]
    vocabulary = {spelt(token): rank for token, rank in ranks.items()}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=True))  # a piece that is a token is that token
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer


_encode_batch = _tokenizer().encode_batch_fast


def encode(text: str) -> list[int]:
    """The ids out of an Encoding, which has the spelling of every token as well; "fast" leaves out their places in the text."""
    (encoding,) = _encode_batch([text], add_special_tokens=False)
    return encoding.ids
