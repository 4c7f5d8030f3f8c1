"""What an extension does that forgets to give a reference back: nothing grows, and the text is never freed."""

import ctypes

from . import search

_keep = ctypes.pythonapi.Py_IncRef
_keep.argtypes, _keep.restype = [ctypes.py_object], None


def find_all(text: bytes, pattern: bytes) -> list[int]:
    _keep(text)
    return search.find_all(text, pattern)
