"""Checks whose arguments no protocol carries: subclasses, arrays, lists that change while they are read.

They run in a process of their own with the lane's interpreter (`python -m inside`), so a crash is the failure of one check. Only
the standard library is used, and NumPy where the process is told where it is.

    __main__    runs the checks of one workload and writes down what came of each
    check       what a check is, and the usual kinds
    objects     the objects that are passed
    changing    lists that change while they are read
    call, kmp, std, bpe    the tables
"""

from __future__ import annotations

from . import bpe, call, kmp, std
from .check import Check

CHECKS: dict[str, list[Check]] = {"call": call.CHECKS, "kmp": kmp.CHECKS, "std": std.CHECKS, "bpe": bpe.CHECKS}
"""Of each workload."""
