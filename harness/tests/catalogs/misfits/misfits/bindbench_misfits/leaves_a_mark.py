"""Its exit handler is seen to have run."""

import atexit
import os


def leave() -> None:
    open(f"exited-{os.getpid()}", "w").close()


atexit.register(leave)


def add(a: int, b: int) -> int:
    return a + b
