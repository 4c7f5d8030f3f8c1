"""`bpe.encode` and `bpe.encode_buffer` in every form of text a lane takes, against tiktoken."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Callable

import pytest
from arguments import Argument
from bpe_reference import difference, digest, encode, encode_pieces
from bpe_texts import ASSIGNED, EDGES, FRAGMENTS, LongTexts, Shelf
from hypothesis import settings
from hypothesis import strategies as st
from lanes import SLOW_MERGER, SLOW_READER, RunningLane, bpe_argument
from reference import integers

Property = Callable[[str, object], None]

KINDS = {"bpe.encode": "integers", "bpe.encode_buffer": "uint32"}
"""The operations, and what they return."""

over_texts = pytest.mark.over(*KINDS)

EXAMPLES = [
    "",
    " ",
    "\n",
    "'",
    "hello world",
    "don't DON'T we'Ll I'VE you'rE it'ſ 'tis 's's 'lll '' 'x ''s",
    "1 12 123 1234 12345678 1a2b ½¾ ٣٤٥٦ 12٣4",
    "a b  c   d\te\t\tf \tg",
    "a\nb\n\nc\r\nd\r\n\r\ne \n f  \n  g\n \n h",
    "a ",
    "a  ",
    "a \n",
    "a \n ",
    "a\n  \n   ",
    "a\r",
    "\u3000\u2028\x85\xa0a\u3000b",
    "(a) (b), [c]; --d-- ...e!? \n!\n\n! \r\n.",
    "def f(x):\n    return x**2  # squared\n\n\n",
    "<|endoftext|> <|fim_prefix|>",
    "café cafe\u0301 naïve Ǆ ŉ İi ẞß",
    "日本語のテキスト 한국어 ภาษาไทย עברית العربية हिन्दी",
    "😀😀 👩🏽‍💻 🇩🇪 a😀b",
    "a\0b\0\0 \0c",
    "\ufeffa\u200bb\x1cc\x1fd",
    "".join(FRAGMENTS),
]

LENGTHS = {"letters": 1_000_000}
"""Of long pieces, where it is not 100,000 bytes: what takes a second with the kernels' method, and ten minutes without."""

LONG_PIECES: dict[str, Callable[[int], list[str]]] = {
    "letters": lambda n: ["a" * n],
    "two letters": lambda n: ["aB" * (n // 2)],
    "ideographs": lambda n: ["日" * (n // 3)],
    "digits": lambda n: ["1" * 3] * (n // 3) + ["1" * (n % 3)],
    "spaces": lambda n: [" " * n],
    "spaces and a word": lambda n: [" " * n, " word"],
    "spaces and a number": lambda n: [" " * n, " ", "7"],
    "newlines": lambda n: ["\n" * n],
    "newlines and a word": lambda n: ["\n" * n, "word"],
    "both line ends": lambda n: ["\r\n" * (n // 2)],
    "tabs and newlines": lambda n: ["\t\n" * (n // 4), "\t" * (n // 2), "\tword"],
    "wide spaces": lambda n: ["\u3000" * (n // 3)],
    "punctuation": lambda n: ["." * (n // 2) + "\n" * (n // 2), "a"],
    "apostrophes": lambda n: ["'" * n, "s"],
    "contractions": lambda n: ["'s"] * (n // 2),
    "combining marks": lambda n: ["e", "\u0301" * (n // 2)],
    "emoji": lambda n: ["😀" * (n // 4)],
    "NUL": lambda n: ["\0" * n],
}

ALPHABETS = [
    "ab 1\n'.",
    "'sdmtlvreSDMTLVREſx ",
    " \t\n\r\v\f\x1c\x1f\x85\xa0\u1680\u2003\u200b\u2028\u2029\u202f\u205f\u3000\ufeff\n\n\r  a1.'",
    "0123456789٣३²½Ⅷ〇一 a.",
    "abcdefghijklmnopqrstuvwxyzETAOIN    \n,.'",
    "eé\u0301\u0308िन日本語한글ไทยעبǅſ😀👩🏽\u200d💻\U0001f1e9 1.\n",
    "(){}[]<>=+-*/_\"'#%&|~^;:,.!?\\ \n\r\ta1",
]


def mixtures() -> st.SearchStrategy[str]:
    """Short texts, many of which end in white space."""
    kinds = [*(st.text(alphabet, max_size=30) for alphabet in ALPHABETS), st.text(st.sampled_from(ASSIGNED), max_size=12)]
    return st.one_of(*kinds, st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join))


def random_mixture(chance: random.Random) -> str:
    """One of the same kind; Hypothesis, which likes to repeat itself, would take long to find 10,000 different ones."""
    source: Sequence[str] = chance.choice([*ALPHABETS, FRAGMENTS, FRAGMENTS, ASSIGNED])
    return "".join(chance.choices(source, k=chance.randint(1, 30)))


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Shelf:
    """One for all processes of this session."""
    own: Path = tmp_path_factory.getbasetemp()
    shared = own.parent if hasattr(request.config, "workerinput") else own
    (shared / "texts").mkdir(exist_ok=True)
    return Shelf(shared / "texts")


def operations(lane: RunningLane) -> Iterator[tuple[str, str]]:
    """Those it has, and what they return."""
    return ((operation, kind) for operation, kind in KINDS.items() if lane.lane.has(operation))


def check(lane: RunningLane, form: str, texts: Sequence[str]) -> None:
    """Both operations on each of these texts."""
    if form == "mapped":
        arguments = lane.files.slices([text.encode() for text in texts], "mapped_bytes")
    else:
        arguments = [bpe_argument(lane, form, text) for text in texts]
    expected = [digest(encode(text)) for text in texts]
    for operation, _ in operations(lane):
        check_answers(lane, operation, arguments, expected, texts.__getitem__)


def check_long(lane: RunningLane, form: str, texts: LongTexts, only: str | None = None) -> None:
    """Both operations on each of these texts, or only one of them."""
    for operation, _ in operations(lane):
        if only in (None, operation):
            check_answers(lane, operation, texts.arguments(form), texts.tokens, texts.text)


def check_answers(
    lane: RunningLane, operation: str, arguments: list[Argument], expected: list[dict[str, Any]], text_of: Callable[[int], str]
) -> None:
    """The digests of the answers, and where one is wrong, all of it."""
    lane.prepare(operation, [[argument] for argument in arguments])
    for first in range(0, len(arguments), 64):
        answers = lane.ask({"verify": {"cell": 0, "first": first, "count": 64}})["verified"]["answers"]
        for number, answer in enumerate(answers, first):
            if answer != {KINDS[operation]: expected[number]}:
                text = text_of(number)
                given = lane.call(operation, arguments[number])
                raise AssertionError(f"{operation} of {difference(text, encode(text), given)}")
        assert len(answers) == min(64, len(arguments) - first)


def test_the_reference() -> None:
    assert encode("hello world") == [15339, 1917]
    for pieces in (["antidisestablishmentarianism" * 5], ["日本語" * 9], *(make(1001) for make in LONG_PIECES.values())):
        assert encode("".join(pieces)) == encode_pieces(*pieces)


@over_texts
def test_examples(lane: RunningLane, form: str) -> None:
    check(lane, form, [*lane.as_many(EXAMPLES), "".join(EXAMPLES)])


@over_texts
def test_every_character(lane: RunningLane, form: str, shelf: Shelf, record_property: Property) -> None:
    """In all the places where its class matters. The operation that returns a list makes do with fewer characters."""
    all_of_them = "bpe.encode_buffer" if lane.lane.has("bpe.encode_buffer") else "bpe.encode"
    if lane.is_slow:
        # It starts processes in every call, which have the kernel of a lane that has started them before.
        check_long(lane, form, shelf.some_characters())
        return
    if lane.reads_slowly:
        record_property(SLOW_READER, lane.lane.id)
        check_long(lane, form, shelf.every_character_twice(), only=all_of_them)
        check_long(lane, form, shelf.some_characters())
        return
    if any(
        "Unicode" in reason for reason in lane.lane.unchecked.values()
    ):  # the classes of another edition, as the manifest says
        check_long(lane, form, shelf.assigned_characters(), only=all_of_them)
        return
    check_long(lane, form, shelf.every_character(), only=all_of_them)
    check_long(lane, form, shelf.some_characters())


@over_texts
def test_characters_alone(lane: RunningLane, form: str) -> None:
    """Each a text by itself: white space is treated in another way where nothing follows it."""
    check(lane, form, [*lane.as_many([c for c in EDGES if c.isspace()]), *lane.as_many(EDGES)])


@over_texts
def test_mixtures(lane: RunningLane, form: str) -> None:
    @lane.for_all(st.lists(mixtures(), min_size=1, max_size=4))
    def _(texts: list[str]) -> None:
        check(lane, form, texts)


@over_texts
def test_many_mixtures(lane: RunningLane, form: str) -> None:
    """Over 10,000 of them, unless a call takes long."""
    most = 11_250 // settings().max_examples
    several = max(3, min(most, int(most / 5000 / lane.call_seconds)))

    @lane.for_all(st.integers(0, 2**64))
    def _(seed: int) -> None:
        chance = random.Random(seed)
        check(lane, form, [random_mixture(chance) for _ in range(several)])


@over_texts
@pytest.mark.parametrize("name", LONG_PIECES)
def test_long_pieces(lane: RunningLane, form: str, shelf: Shelf, record_property: Property, name: str) -> None:
    length = 100_000 if lane.reads_slowly else LENGTHS.get(name, 100_000)
    if lane.merges_slowly:
        record_property(SLOW_MERGER, lane.lane.id)
        length = 10_000
    pieces = LONG_PIECES[name](length)
    check_long(lane, form, shelf.take(f"{length}-{name}", lambda: [("".join(pieces), encode_pieces(*pieces))]))


@over_texts
@pytest.mark.parametrize(("size", "shifts"), [(100_000, 256), (1_000_000, 16)])
def test_every_cut_is_beside_a_border(lane: RunningLane, form: str, shelf: Shelf, size: int, shifts: int) -> None:
    """Wherever a lane cuts a text for its threads or processes: pieces are short, and the cut moves through them byte by byte."""
    texts = shelf.small_pieces(size, shifts)
    if lane.reads_slowly:
        texts = texts.some(max(1, shifts // 64))
    elif lane.lane.parallel == "none":
        texts = texts.some(2)
    check_long(lane, form, texts)


@pytest.mark.over(*KINDS, forms=["mapped"])
def test_nothing_beyond_a_slice(lane: RunningLane, form: str) -> None:
    """A mapped input is a slice of a larger file; what stands before and after it would belong to its pieces."""
    texts = ("a", "word " * 2000 + "word", "12", " ", " \n", "日本語")
    for text, around in lane.as_many([*product(texts, (b"word", "é".encode()[1:], b"1", b" \n"))]):
        argument = bpe_argument(lane, form, text, around=around)
        for operation, kind in operations(lane):
            answer = lane.call(operation, argument)
            assert answer == integers(encode(text), kind=kind), difference(text, encode(text), answer)


@pytest.mark.over(*KINDS, forms=["text"])
def test_after_a_text_without_utf8(lane: RunningLane, form: str) -> None:
    """Whatever a lane makes of lone surrogates: afterwards it is as it was."""
    if not lane.lane.in_python:  # JSON for a native lane has to be UTF-8: no such text can be sent to it
        pytest.skip("without Python a text has none")
    for operation, kind in operations(lane):
        lane.call(operation, bpe_argument(lane, form, "a\udc00b"))
        assert lane.call(operation, bpe_argument(lane, form, "hello world")) == integers([15339, 1917], kind=kind)


@over_texts
def test_threads(lane: RunningLane, form: str) -> None:
    """Four threads at once, each on inputs of its own. Hardly a word is a token: they are always in the middle of merging."""
    chance = random.Random(4)
    letters = ["abcdefgh", "ijklmnop", "QRSTUVWX", "日本語文字列", "éèêñöüß", "0123456789", "'\"()[]{}", " \t\n\r."]
    texts = ["".join(chance.choices(f"{alphabet}{alphabet} ", k=10_000)) for alphabet in letters]
    arguments = [bpe_argument(lane, form, text) for text in texts]
    loops = 2 if lane.reads_slowly else 21
    last = [(6 + thread + loops - 1) % 8 for thread in range(4)]
    for operation, kind in operations(lane):
        lane.prepare(operation, [[argument] for argument in arguments], threads=4)
        sampled = lane.ask({"sample": {"cell": 0, "loops": loops, "first": 6}})["sampled"]
        assert sampled["answers"] == [{"item": item, "answer": {kind: digest(encode(texts[item]))}} for item in last]
