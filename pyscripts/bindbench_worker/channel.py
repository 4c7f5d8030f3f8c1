"""Lines on the two descriptors the driver opened: never stdin, stdout or stderr, which belong to the lane."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

REQUESTS = "BINDBENCH_REQUESTS_FD"
REPLIES = "BINDBENCH_REPLIES_FD"

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
        self._pending = bytearray()

    @classmethod
    def from_environment(cls) -> Channel:
        """The channel the driver left in the environment, kept out of reach of every child process a lane may start."""
        try:
            descriptors = (int(os.environ.pop(REQUESTS)), int(os.environ.pop(REPLIES)))
        except (KeyError, ValueError):
            sys.exit(f"bindbench_worker is started by bindbench, which sets {REQUESTS} and {REPLIES}")
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
            # A forked child that outlived the worker would keep the driver from seeing that the worker is gone.
            os.register_at_fork(after_in_child=lambda descriptor=descriptor: os.close(descriptor))
        return cls(*descriptors)

    def receive(self) -> str:
        """The next request, one line of JSON."""
        searched = 0
        while (end := self._pending.find(b"\n", searched)) < 0:
            searched = len(self._pending)
            chunk = os.read(self._requests, 1 << 20)
            if not chunk:
                raise ChannelClosed
            self._pending += chunk
        line = self._pending[:end].decode()
        del self._pending[: end + 1]
        return line

    def send(self, reply: dict[str, Any]) -> None:
        """Send one reply."""
        unsent = memoryview(_ENCODER.encode(reply).encode() + b"\n")
        try:
            while unsent:
                unsent = unsent[os.write(self._replies, unsent) :]
        except BrokenPipeError:
            raise ChannelClosed from None
