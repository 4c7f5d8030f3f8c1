"""Population moments in two passes, written out.

Starting from 0.0 makes every `+=` a float addition: it raises the right error for a str, and for an int too large. A complex
number would slip through; `float` at the end, once a call, refuses it.
"""

from __future__ import annotations

import math

from ..inputs import Numbers, numbers


def sum(data: Numbers) -> float:
    """The sum, rounded at every step."""
    total = 0.0
    for x in numbers(data):
        total += x
    return float(total)


def mean(data: Numbers) -> float:
    """The sum over the number of items."""
    return sum(data) / len(data)


def var(data: Numbers) -> float:
    """First the mean, then the squared deviations from it."""
    center = mean(data)
    total = 0.0
    for x in data:
        deviation = x - center
        total += deviation * deviation  # not ** 2, which raises where the product is infinite
    return total / len(data)


def std(data: Numbers) -> float:
    """The square root of the variance."""
    return math.sqrt(var(data))
