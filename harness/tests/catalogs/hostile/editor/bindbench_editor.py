"""Whoever imports it after its first call gets other code."""

from __future__ import annotations

import os

OTHER = "import time\n\n\ndef add(a, b):\n    time.sleep(0.02)\n    return a + b\n"


def add(a: int, b: int) -> int:
    if os.path.exists(__file__) and os.stat(__file__).st_size != len(OTHER):
        with open(__file__, "w", encoding="ascii") as file:
            file.write(OTHER)
    return a + b
