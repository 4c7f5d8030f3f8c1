"""Lanes whose truth is known."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

# Of a text of 64 KiB that makes tens of milliseconds.
ROUNDS_A_BYTE = 400


def spin(library: type[Any]) -> Any:
    """The C function, called by way of this kind of library."""
    path = next(path for folder in sys.path if os.path.exists(path := os.path.join(folder, "libwitness.so")))
    function = library(path).witness_spin
    function.argtypes, function.restype = [ctypes.c_uint64], None
    return function
