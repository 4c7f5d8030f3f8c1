"""C-API code behind PyDLL: the C functions take and return Python objects, so there is nothing here to convert or to check.

PyDLL keeps the GIL during the call, and raises the exception the function left behind when it returns NULL.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any


def _find_library(name: str) -> str:
    for folder in sys.path:
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return path
    raise ImportError(f"{name} is in no folder of sys.path: has it been built?")


_library = ctypes.PyDLL(_find_library("libbindbench_pydll.so"))


def prototype(name: str, arguments: int) -> Any:
    """A function of the C code that takes so many objects and returns one."""
    function = getattr(_library, name)
    function.argtypes = [ctypes.py_object] * arguments
    function.restype = ctypes.py_object  # a new reference, which becomes ours; a borrowed one would be freed under its owner
    return function


noop = prototype("pydll_noop", 0)
add = prototype("pydll_add", 2)
length = prototype("pydll_length", 1)
take_list = prototype("pydll_take_list", 1)
give_list = prototype("pydll_give_list", 1)
call_back = prototype("pydll_call_back", 2)
fail = prototype("pydll_fail", 0)
find_all = prototype("pydll_find_all", 2)
sum = prototype("pydll_sum", 1)
mean = prototype("pydll_mean", 1)
var = prototype("pydll_var", 1)
std = prototype("pydll_std", 1)
