"""Byte pair encoding: the text goes in as a str. The vocabulary is a capsule: a C pointer, packed as a Python object."""

from __future__ import annotations

from functools import partial

from .. import vocabulary
from . import prototype

_vocabulary = prototype("pydll_bpe_new", 2)(*vocabulary.read())  # frees its C memory when the last reference to it goes

encode = partial(prototype("pydll_encode", 2), _vocabulary)
encode_buffer = partial(prototype("pydll_encode_buffer", 2), _vocabulary)
