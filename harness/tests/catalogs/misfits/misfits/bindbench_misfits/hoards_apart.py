"""Up to 4 GiB in a process that is nobody's child."""

import os
import time


def add(a: int, b: int) -> int:
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        time.sleep(1000)
    os.setsid()
    if os.fork() == 0:
        hoard = []
        for _ in range(128):
            hoard.append(b"x" * (32 << 20))
            time.sleep(0.02)
        time.sleep(1000)
    os._exit(0)
