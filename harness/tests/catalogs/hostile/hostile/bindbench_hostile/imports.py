"""What happens when a lane is imported."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

from . import at_import

__path__: list[str] = []  # the kinds are its submodules


class Odd(BaseException):
    """No Exception."""


@at_import
def raises_exception() -> None:
    raise ValueError("not today")


@at_import
def raises_system_exit() -> None:
    sys.exit(3)


@at_import
def raises_system_exit_with_text() -> None:
    sys.exit("there is no licence")


@at_import
def raises_keyboard_interrupt() -> None:
    raise KeyboardInterrupt


@at_import
def raises_generator_exit() -> None:
    raise GeneratorExit("over")


@at_import
def raises_base_exception() -> None:
    raise Odd("neither fish nor fowl")


@at_import
def has_no_syntax() -> None:
    exec(compile("def add(a, b:\n    return a", "broken.py", "exec"))


@at_import
def lacks_a_module() -> None:
    import bindbench_is_not_there  # type: ignore[import-not-found]  # noqa: F401


@at_import
def lacks_a_symbol() -> None:
    _ = ctypes.CDLL(None).bindbench_is_not_there


@at_import
def recurses() -> None:
    recurses()


@at_import
def asks_for_too_much() -> None:
    bytes(1 << 62)


@at_import
def sleeps() -> None:
    time.sleep(1000)


@at_import
def spins() -> None:
    while True:
        pass


@at_import
def waits_for_a_thread() -> None:
    """As an import lock does that two threads want."""
    thread = threading.Thread(target=time.sleep, args=(1000,), daemon=True)
    thread.start()
    thread.join()


@at_import
def exits_in_silence() -> None:
    os._exit(0)


@at_import
def exits_with_last_words() -> None:
    print("the licence server is on fire", file=sys.stderr, flush=True)
    os._exit(5)


@at_import
def segfaults() -> None:
    ctypes.string_at(0)


@at_import
def aborts() -> None:
    os.abort()


@at_import
def stops_itself() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


@at_import
def floods() -> None:
    line = b"noise " * 1000 + b"\n"
    for _ in range(5000):
        os.write(2, line)
