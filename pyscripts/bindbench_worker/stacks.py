"""Samples of this process's own stacks while a timed loop runs, for machines that don't let them be taken from outside.

They are taken by a library (`samplers/pprof`) on a timer of its own. It is loaded after the lane: its signals meet no import.
Only this process is sampled, not what it starts.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Recorder:
    """A context to run a loop in; the samples taken meanwhile are appended to a file."""

    def __init__(self, library: str, hertz: int, file: str) -> None:
        # Not before it is asked for: a lane that is timed has no ctypes unless it wants it.
        import ctypes

        self._library = ctypes.CDLL(library)
        self._hertz = hertz
        self._file = file
        with open(file, "w", encoding="ascii") as started:
            # Threads are told apart by the same numbers in the samples.
            started.write(f"main {threading.main_thread().ident:x}\n")

    def __enter__(self) -> None:
        with self._temporary_files_beside_it():
            self._check(self._library.bindbench_pprof_start(self._hertz), "begin")

    def __exit__(self, *_: object) -> None:
        with self._temporary_files_beside_it():
            self._check(self._library.bindbench_pprof_stop(os.fsencode(self._file)), "end")

    @contextmanager
    def _temporary_files_beside_it(self) -> Iterator[None]:
        """The library keeps samples in a temporary file that it never removes; the driver removes the whole folder."""
        before = os.environ.get("TMPDIR")
        os.environ["TMPDIR"] = os.path.dirname(self._file)
        try:
            yield
        finally:
            if before is None:
                del os.environ["TMPDIR"]
            else:
                os.environ["TMPDIR"] = before

    @staticmethod
    def _check(status: int, what: str) -> None:
        if status != 0:
            raise OSError(f"the sampler could not {what}: status {status}")
