"""What the process knows of itself, read from inside."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def stay_on(cpus: list[int]) -> None:
    """Keep all threads of the process on these CPUs, a lane's own threads too; where the system has no such call, do nothing."""
    if not hasattr(os, "sched_setaffinity"):
        return
    try:
        threads = [int(name) for name in os.listdir("/proc/self/task")]
    except OSError:
        threads = [0]
    for thread in threads:
        with suppress(ProcessLookupError):  # it ended meanwhile
            os.sched_setaffinity(thread, cpus)


def gil_enabled() -> bool:
    """Whether the GIL is enabled now: importing an extension can enable it. Interpreters that can't tell always have it."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def libraries() -> list[str]:
    """Files mapped into the process whose names mark them as shared libraries; empty where the system does not tell."""
    try:
        with open("/proc/self/maps", errors="replace") as maps:
            mapped = {line.rstrip("\n").split(maxsplit=5)[5] for line in maps if "/" in line}
    except OSError:
        return []
    return sorted(path for path in mapped if ".so" in os.path.basename(path) or path.endswith(".dylib"))


def peak_resident_bytes() -> int | None:
    """The most memory this process ever had resident. Not `ru_maxrss`: that one is inherited over fork and exec."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None
