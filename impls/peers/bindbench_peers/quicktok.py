"""quicktok: C++ behind pybind11, with the vocabulary in the wheel.

pybind11 copies the text into a `std::string`, so that the GIL can be released; the vector of ids becomes a list of ints. The
batch call puts the ids of all its texts into one NumPy array instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import quicktok

if TYPE_CHECKING:
    import numpy as np

_encoding = quicktok.get_encoding("cl100k_base")

encode = _encoding.encode_ordinary


def encode_buffer(text: str) -> np.ndarray:
    """A batch of one text, in one thread."""
    ids, _offsets = _encoding.encode_batch([text], threads=1)
    return ids
