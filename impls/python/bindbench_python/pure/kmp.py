"""Knuth-Morris-Pratt, written out."""

from __future__ import annotations

from collections.abc import Sequence

from ..inputs import BytesLike, octets


def borders(pattern: Sequence[int]) -> list[int]:
    """For each prefix of the pattern, the length of its longest proper prefix that is also its suffix."""
    table = [0] * len(pattern)
    matched = 0
    for i in range(1, len(pattern)):
        while matched and pattern[matched] != pattern[i]:
            matched = table[matched - 1]
        if pattern[matched] == pattern[i]:
            matched += 1
        table[i] = matched
    return table


def find_all(text: BytesLike, pattern: BytesLike) -> list[int]:
    """Every offset of the pattern in the text, overlapping ones too."""
    text, pattern = octets(text), octets(pattern)
    if not pattern:
        raise ValueError("the pattern is empty")
    border = borders(pattern)
    found = []
    matched = 0  # how many bytes of the pattern the bytes read last agree with
    for start, byte in enumerate(text, 1 - len(pattern)):
        while matched and pattern[matched] != byte:
            matched = border[matched - 1]
        if pattern[matched] == byte:
            matched += 1
            if matched == len(pattern):
                found.append(start)
                matched = border[-1]  # not 0: the next match may overlap this one
    return found
