"""Three daemons of its first call: a fork, a session of its own, and another fork, so that nobody is their parent.

One has an empty environment, too: nothing says where it comes from.
"""

import os
import sys
import time

calls: list[int] = []


def daemon(environment: "dict[str, str] | None") -> None:
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    os.setsid()
    if os.fork() == 0:
        if environment is not None:
            # The folder's name is the test's: that is how the test finds it.
            os.execve(sys.executable, [sys.executable, "-c", "import time; time.sleep(1000)", os.environ["TMPDIR"]], environment)
        time.sleep(1000)
    os._exit(0)


def add(a: int, b: int) -> int:
    if not calls:
        calls.append(a)
        for environment in (None, None, {}):
            daemon(environment)
    return a + b
