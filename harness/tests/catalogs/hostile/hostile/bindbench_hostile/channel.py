"""Meddling with the descriptors that driver and worker talk over, and with the others."""

from __future__ import annotations

import os
import sys
import threading
import time

__path__: list[str] = []  # the kinds are its submodules

REQUESTS, REPLIES = 3, 4


def _say(line: bytes) -> None:
    while line:
        line = line[os.write(REPLIES, line) :]


def says_garbage(a: int, b: int) -> int:
    _say(b"Traceback (most recent call last):\n")
    return a + b


def says_invalid_utf8(a: int, b: int) -> int:
    _say(b"\xff\xfe\x00 no reply\n")
    return a + b


def says_empty_lines(a: int, b: int) -> int:
    _say(b"\n\n\n")
    return a + b


def says_half_a_line(a: int, b: int) -> int:
    """The worker's own reply goes on where this one stopped."""
    _say(b'{"sampled": ')
    return a + b


def says_other_json(a: int, b: int) -> int:
    _say(b'{"loaded": [1, 2, {"<script>alert(1)</script>": null}]}\n')
    return a + b


def says_deep_json(a: int, b: int) -> int:
    _say(b"[" * 1_000_000 + b"\n")
    return a + b


def says_another_reply(a: int, b: int) -> int:
    _say(b'{"prepared": {}}\n')
    return a + b


def says_too_many_answers(a: int, b: int) -> int:
    _say(b'{"verified": {"answers": [' + b",".join([b'{"none": null}'] * 100_000) + b"]}}\n")
    return a + b


def never_ends_its_line(a: int, b: int) -> int:
    while True:
        _say(b"x" * (1 << 16))


def trickles(a: int, b: int) -> int:
    while True:
        _say(b"x")
        time.sleep(0.05)


def says_100_megabytes(a: int, b: int) -> int:
    """A reply of one line, and well formed, but for its length."""
    _say(b'{"failed": {"type": "Long", "message": "' + b"long " * 20_000_000 + b'", "bases": []}}\n')
    time.sleep(1000)
    return a + b


def steals_requests(a: int, b: int) -> int:
    """The next request never gets to the worker."""

    def steal() -> None:
        while os.read(REQUESTS, 1 << 16):
            pass

    if threading.active_count() < 4:
        threading.Thread(target=steal, daemon=True).start()
    return a + b


def redirects_replies(a: int, b: int) -> int:
    os.dup2(os.open(os.devnull, os.O_RDWR), REPLIES)
    return a + b


def closes_replies(a: int, b: int) -> int:
    os.close(REPLIES)
    return a + b


def closes_requests(a: int, b: int) -> int:
    os.close(REQUESTS)
    return a + b


def closes_everything(a: int, b: int) -> int:
    os.closerange(0, 256)
    return a + b


def closes_everything_and_hangs(a: int, b: int) -> int:
    os.closerange(0, 256)
    time.sleep(1000)
    return a + b


def closes_its_streams(a: int, b: int) -> int:
    """Standard input, output and error are the lane's own."""
    for descriptor in range(3):
        try:
            os.close(descriptor)
        except OSError:
            break
    return a + b


def loses_its_streams(a: int, b: int) -> int:
    sys.stdin = sys.stdout = sys.stderr = None  # type: ignore[assignment]
    return a + b


def does_not_block(a: int, b: int) -> int:
    os.set_blocking(REPLIES, False)
    return a + b


def floods_stdout(a: int, b: int) -> int:
    sys.stdout.write("o" * (1 << 20) + "\n")
    return a + b


def floods_stderr(a: int, b: int) -> int:
    os.write(2, b"e" * (1 << 20) + b"\n")
    return a + b


def prints_escapes(a: int, b: int) -> int:
    os.write(1, b"\x1b]0;title\x07\x1b[2J\x1b[31m\x00\xff\n")
    return a + b
