"""Where the vocabulary is that the packages are fed with."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(os.environ["BINDBENCH_BPE"])

RANKS = FOLDER / "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
"""Lines of a token in base64 and its rank, under the name by which tiktoken looks for it in its cache."""
