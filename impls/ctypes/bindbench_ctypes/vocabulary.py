"""The two files that a vocabulary is made from: read once, when a module for bpe is imported."""

from __future__ import annotations

import os
from pathlib import Path


def read() -> tuple[bytes, bytes]:
    """The tokens in the order of their ids, and the classes of all code points."""
    folder = Path(os.environ["BINDBENCH_BPE"])
    return (folder / "cl100k_base.tokens").read_bytes(), (folder / "unicode.classes").read_bytes()
