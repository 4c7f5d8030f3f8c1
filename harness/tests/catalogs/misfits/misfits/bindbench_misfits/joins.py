"""Wants to be in the process group of whoever started it, which nobody can kill without killing that one. Then it hangs."""

import os
import time
from contextlib import suppress


def add(a: int, b: int) -> int:
    with suppress(PermissionError):
        os.setpgid(0, os.getpgid(os.getppid()))
    time.sleep(1000)
    return a + b
