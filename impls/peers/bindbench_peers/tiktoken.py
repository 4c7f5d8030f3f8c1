"""tiktoken: Rust behind PyO3.

The `str` is not copied on the way in: PyO3 borrows the UTF-8 form, which is the object's own memory where the text is ASCII, and
else is made once and kept with the object. The GIL is released while Rust works. Out comes a list with one int object for each
token, or the Rust vector itself behind the buffer protocol.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import tiktoken

from .vocabulary import FOLDER

if TYPE_CHECKING:
    import numpy as np

os.environ["TIKTOKEN_CACHE_DIR"] = os.fspath(FOLDER)  # else get_encoding would download the vocabulary

_encoding = tiktoken.get_encoding("cl100k_base")

encode = _encoding.encode_ordinary


def encode_buffer(text: str) -> np.ndarray:
    """The ids in memory that Rust has allocated; the array looks at it and owns nothing."""
    return _encoding.encode_to_numpy(text, disallowed_special=())  # nothing allowed, nothing refused: all of it is ordinary text
