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


def _function(name: str, arguments: int) -> Any:
    function = getattr(_library, name)
    function.argtypes = [ctypes.py_object] * arguments
    function.restype = ctypes.py_object  # a new reference, which becomes ours; a borrowed one would be freed under its owner
    return function


noop = _function("pydll_noop", 0)
add = _function("pydll_add", 2)
length = _function("pydll_length", 1)
take_list = _function("pydll_take_list", 1)
give_list = _function("pydll_give_list", 1)
call_back = _function("pydll_call_back", 2)
fail = _function("pydll_fail", 0)
find_all = _function("pydll_find_all", 2)
sum = _function("pydll_sum", 1)
mean = _function("pydll_mean", 1)
var = _function("pydll_var", 1)
std = _function("pydll_std", 1)
