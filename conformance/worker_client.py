"""A worker process, and the protocol spoken to it from the driver's end (see `protocol/src/lib.rs`)."""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import tempfile
import time
from contextlib import suppress
from typing import Any

PATIENCE_SECONDS = 240.0


class WorkerGone(Exception):
    """The process ended instead of answering."""


class WorkerHung(BaseException):
    """The process did not answer in time. No `Exception`: Hypothesis would try a hundred smaller inputs, a minute for each."""


class WorkerProcess:
    """One worker. Its standard output and error go to a file, shown when it dies; its working folder is an empty one."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="conformance-")
        self._log = open(os.path.join(self._folder.name, "log"), "w+b")  # noqa: SIM115 — as long as the process
        # The lock belongs to the open file, which all descendants share as their standard output.
        fcntl.flock(self._log, fcntl.LOCK_EX)
        requests, self._requests = os.pipe()
        self._replies, replies = os.pipe()
        os.set_blocking(self._requests, False)
        # A lane must not see the Python settings of the environment the tests run in.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        descriptors = {"BINDBENCH_REQUESTS_FD": str(requests), "BINDBENCH_REPLIES_FD": str(replies)}
        try:
            self.process = subprocess.Popen(
                command,
                env={**inherited, **environment, **descriptors},
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=(requests, replies),
                start_new_session=True,
                cwd=self._folder.name,
            )
        finally:
            os.close(requests)
            os.close(replies)
            self._log.close()
        self._pending = bytearray()

    def ask(self, request: object, patience: float = PATIENCE_SECONDS) -> Any:
        """Send one request and wait for its reply."""
        return self.ask_line(json.dumps(request).encode(), patience)

    def ask_line(self, line: bytes, patience: float = PATIENCE_SECONDS) -> Any:
        """Send one line as it is and wait for the reply."""
        deadline = time.monotonic() + patience
        unsent = memoryview(line + b"\n")
        while unsent or b"\n" not in self._pending:
            waiting = [self._requests] if unsent else []
            readable, writable, _ = select.select([self._replies], waiting, [], max(0.0, deadline - time.monotonic()))
            if not readable and not writable:
                self.kill()
                raise WorkerHung(f"no answer within {patience:g} s to {line[:300].decode()}{self.output()}")
            if writable:
                try:
                    unsent = unsent[os.write(self._requests, unsent) :]
                except BrokenPipeError:
                    raise self._gone() from None
            if readable:
                chunk = os.read(self._replies, 1 << 20)
                if not chunk:
                    raise self._gone()
                self._pending += chunk
        reply, _, self._pending = self._pending.partition(b"\n")
        return json.loads(reply)

    def wait(self, patience: float = PATIENCE_SECONDS) -> int:
        """The status the process ends with."""
        return self.process.wait(patience)

    def all_gone(self, patience: float = 10.0) -> bool:
        """Whether the process and all its descendants have ended, or end soon."""
        deadline = time.monotonic() + patience
        while True:
            with open(self._log.name, "rb") as log:
                try:
                    fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return True
                except OSError:
                    if time.monotonic() > deadline:
                        return False
            time.sleep(0.01)

    def end_of_requests(self) -> None:
        """Close the driver's end."""
        os.close(self._requests)
        self._requests = -1

    def output(self) -> str:
        """The end of what the process has printed, as a paragraph to append to a message."""
        with open(self._log.name, "rb") as log:
            log.seek(max(0, os.path.getsize(log.name) - 4000))
            printed = log.read().decode(errors="replace").strip()
        return f"\nThe worker printed:\n{printed}" if printed else ""

    def kill(self) -> None:
        """End the process and all its children, now."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, 9)
        self.process.wait()

    def close(self) -> None:
        """Forget the process, ending it if it has not ended."""
        self.kill()
        for descriptor in {self._requests, self._replies} - {-1}:
            os.close(descriptor)
        self._requests = self._replies = -1
        self._folder.cleanup()

    def _gone(self) -> WorkerGone:
        return WorkerGone(f"the worker ended with status {self.wait()}{self.output()}")
