"""The loop: one request, one reply, until there are no more."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from .channel import Channel, ChannelClosed
from .worker import Worker


def main() -> None:
    """Answer requests. Returns after `finish`, and then Python's usual way out ends whatever process pools a lane has."""
    channel = Channel.from_environment()
    worker = Worker()
    try:
        while not worker.finished:
            channel.send(worker.reply_to(channel.receive()))
    except ChannelClosed:
        # The driver is gone. Nobody waits for this process any more, so it must not wait for anybody either: not for a lane's
        # exit handlers, nor for its threads.
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
