"""rs-bpe: Rust behind PyO3, with the vocabulary compiled into the extension.

The `str` is borrowed, the GIL stays held, and the vector of ids becomes a list of ints.
"""

from __future__ import annotations

from rs_bpe.bpe import openai

encode = openai.cl100k_base().encode
