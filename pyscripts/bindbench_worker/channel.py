"""Lines on the two descriptors the driver opened: never stdin, stdout or stderr, which belong to the lane."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

REQUESTS = "BINDBENCH_REQUESTS_FD"
REPLIES = "BINDBENCH_REPLIES_FD"

ROOM = 1 << 12
"""Bytes that are kept for requests; one that needs more gets more for as long as it takes."""

# `json.dumps` with separators makes an encoder for every reply.
_ENCODER = json.JSONEncoder(separators=(",", ":"))


class ChannelClosed(Exception):
    """The driver's end is closed."""


class Channel:
    """Receives requests and sends replies.

    The descriptors stay plain numbers: file objects would close them in forked children when these tidy up, at a time when the
    numbers may stand for something else.
    """

    def __init__(self, requests: int, replies: int) -> None:
        self._requests = requests
        self._replies = replies
        # What arrives is written into memory that is there: its pieces are of other sizes every time, and would leave traces in
        # the allocator, which a count of instructions shows.
        self._buffer = bytearray(ROOM)
        self._filled = 0

    @classmethod
    def from_environment(cls) -> Channel:
        """The channel the driver left in the environment, kept out of reach of every child process a lane may start."""
        try:
            descriptors = (int(os.environ.pop(REQUESTS)), int(os.environ.pop(REPLIES)))
        except (KeyError, ValueError):
            sys.exit(f"bindbench_worker is started by bindbench, which sets {REQUESTS} and {REPLIES}")
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        # A forked child that outlived the worker would keep the driver from seeing that the worker is gone. A child of such a
        # child has nothing to close any more: the numbers may stand for something else there.
        unclosed = list(descriptors)

        def close_in_child() -> None:
            while unclosed:
                os.close(unclosed.pop())

        os.register_at_fork(after_in_child=close_in_child)
        return cls(*descriptors)

    def receive(self) -> str:
        """The next request, one line of JSON."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched, self._filled)) < 0:
            searched = self._filled
            if self._filled == len(self._buffer):
                self._buffer.extend(bytes(self._filled))
            with memoryview(self._buffer) as memory, memory[self._filled :] as free:
                arrived = os.readv(self._requests, [free])
            if not arrived:
                raise ChannelClosed
            self._filled += arrived
        line = self._buffer[:end].decode()
        rest = self._buffer[end + 1 : self._filled]
        self._filled = len(rest)
        if rest or len(self._buffer) > ROOM:
            self._buffer = rest.ljust(ROOM, b"\0")
        return line

    def send(self, reply: dict[str, Any]) -> None:
        """Send one reply."""
        unsent = memoryview(_ENCODER.encode(reply).encode() + b"\n")
        try:
            while unsent:
                unsent = unsent[os.write(self._replies, unsent) :]
        except BrokenPipeError:
            raise ChannelClosed from None
