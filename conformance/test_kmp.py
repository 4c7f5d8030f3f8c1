"""`kmp.find_all` in every form of text a lane takes, against a naive search."""

from __future__ import annotations

import pytest
from arguments import NONE, data, integer
from arguments import text as string
from hypothesis import strategies as st
from lanes import READONLY, RunningLane, kmp_argument, raised
from reference import find_all, integers

EXAMPLES = [
    (b"", b"a"),
    (b"a", b"a"),
    (b"a", b"b"),
    (b"a", b"aa"),
    (b"ab", b"ab" * 40),
    (b"aaaa", b"aa"),
    (b"abababab", b"abab"),
    (b"aabaabaaab", b"aab"),
    (b"abcabcabd", b"abcabd"),
    (b"\0\0\0", b"\0"),
    (b"a\0b\0a\0b", b"\0b"),
    (b"a\0b\0a\0b", b"a"),
    (bytes(range(256)) * 2, b"\xff\x00"),
    (b"\xff\xfe\xff\xfe\xff", b"\xff\xfe\xff"),
]

LENGTHS = [1, 2, 3, 5, 7, 8, 9, 63, 64, 65, 4095, 4097, 65_536, 100_003]


@st.composite
def small_alphabets(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A text and a pattern over a few symbols, so that matches are many and overlap; NUL is one of the symbols."""
    symbols = draw(st.sampled_from([1, 2, 2, 3, 256]))
    squeeze = bytes(symbol % symbols for symbol in range(256))
    text = draw(st.binary(max_size=200)).translate(squeeze)
    pattern = draw(st.binary(min_size=1, max_size=8)).translate(squeeze)
    if text and draw(st.booleans()):
        start = draw(st.integers(0, len(text) - 1))
        pattern = text[start : start + draw(st.integers(1, 60))]
    return text, pattern


@pytest.mark.over("kmp.find_all")
@pytest.mark.parametrize(("text", "pattern"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples(lane: RunningLane, form: str, text: bytes, pattern: bytes) -> None:
    for readonly in READONLY[form]:
        answer = lane.call("kmp.find_all", kmp_argument(lane, form, text, readonly), data(pattern))
        assert answer == integers(find_all(text, pattern))


@pytest.mark.over("kmp.find_all")
def test_against_naive_search(lane: RunningLane, form: str) -> None:
    @lane.for_all(small_alphabets(), st.booleans())
    def _(case: tuple[bytes, bytes], readonly: bool) -> None:
        text, pattern = case
        answer = lane.call("kmp.find_all", kmp_argument(lane, form, text, readonly), data(pattern))
        assert answer == integers(find_all(text, pattern))


@pytest.mark.over("kmp.find_all")
@pytest.mark.parametrize(("turn", "length"), list(enumerate(LENGTHS)), ids=LENGTHS)
def test_every_offset_matches(lane: RunningLane, form: str, turn: int, length: int) -> None:
    """Wherever a lane cuts the text into chunks: a match missed or found twice at the cut is one too few or too many."""
    text = b"a" * length
    for width in lane.some_of((1, 2, 3, 64), turn):
        lane.prepare("kmp.find_all", [[kmp_argument(lane, form, text), data(b"a" * width)]])
        expected = integers(list(range(length - width + 1)), with_values=False)
        assert lane.ask({"verify": {"cell": 0}})["verified"]["answers"] == [expected]


@pytest.mark.over("kmp.find_all")
@pytest.mark.parametrize("length", [(1 << 16) - 1, (1 << 18) + 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 7])
def test_every_cut_is_inside_a_match(lane: RunningLane, form: str, length: int) -> None:
    """Matches of 48 bytes start every 16 bytes, so that no place is left to cut without cutting three of them."""
    unit = bytes(range(16))
    text = (unit * (length // 16 + 1))[:length]
    lane.prepare("kmp.find_all", [[kmp_argument(lane, form, text), data(unit * 3)]])
    expected = integers(list(range(0, length - 48 + 1, 16)), with_values=False)
    assert lane.ask({"verify": {"cell": 0}})["verified"]["answers"] == [expected]


@pytest.mark.over("kmp.find_all")
def test_pattern_about_as_long_as_the_text(lane: RunningLane, form: str) -> None:
    text = b"ab" * 5000 + b"c"
    for pattern in (text, text[1:], text[:-1], text + b"d", b"x" * 20_000):
        answer = lane.call("kmp.find_all", kmp_argument(lane, form, text), data(pattern))
        assert answer == integers(find_all(text, pattern))


@pytest.mark.over("kmp.find_all", forms=["mapped"])
def test_nothing_beyond_a_slice(lane: RunningLane, form: str) -> None:
    """A mapped input is a slice of a larger file; what stands before and after it would match too."""
    text = b"abcab" * 2000
    argument = kmp_argument(lane, form, text, around=b"cab" * 100)
    assert lane.call("kmp.find_all", argument, data(b"abcab")) == integers(find_all(text, b"abcab"))


@pytest.mark.over("kmp.find_all", forms=["mapped"])
def test_mapped_text_and_a_wrong_pattern(lane: RunningLane, form: str) -> None:
    """What `contract.py` has for the other forms."""
    for memory in (b"abab", b""):
        mapped = kmp_argument(lane, form, memory)
        assert raised(lane.call("kmp.find_all", mapped, data(b"")), "ValueError")
        for pattern in (string("ab"), NONE, integer(0)):
            assert raised(lane.call("kmp.find_all", mapped, pattern), "TypeError")


@pytest.mark.over("kmp.find_all")
def test_threads(lane: RunningLane, form: str) -> None:
    """Four threads at once, each on inputs of its own."""
    texts = [bytes([97 + i]) * (50 + i) for i in range(8)]
    pool = [[kmp_argument(lane, form, text), data(text[:20])] for text in texts]
    lane.prepare("kmp.find_all", pool, threads=4)
    expected = [integers(find_all(text, text[:20]), with_values=False) for text in texts]
    loops = max(1, min(21, lane.examples // 4))
    sampled = lane.ask({"sample": {"cell": 0, "loops": loops, "first": 6}})["sampled"]
    last = [(6 + thread + loops - 1) % 8 for thread in range(4)]
    assert sampled["answers"] == [{"item": item, "answer": expected[item]} for item in last]
    assert sampled["elapsed_ns"] > 0
