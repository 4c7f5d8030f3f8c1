"""Knuth, Morris and Pratt in 20 lines."""

from __future__ import annotations


def find_all(text: bytes, pattern: bytes) -> list[int]:
    fallback, k = [0], 0
    for byte in pattern[1:]:
        while k and pattern[k] != byte:
            k = fallback[k - 1]
        k += pattern[k] == byte
        fallback.append(k)
    found, k = [], 0
    for at, byte in enumerate(text):
        while k and (k == len(pattern) or pattern[k] != byte):
            k = fallback[k - 1]
        k += pattern[k] == byte
        if k == len(pattern):
            found.append(at + 1 - k)
    return found
