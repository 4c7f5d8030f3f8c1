"""Population moments in two passes, written out.

Starting from 0.0 makes every `+=` a float addition: it raises the right error for an int too large. What else the items may be,
`moment` sees to.
"""

from __future__ import annotations

import math

from ..inputs import Numbers, moment


def sum(data: Numbers) -> float:
    """The sum, rounded at every step."""
    return moment(total, data, snapshot=False)


def mean(data: Numbers) -> float:
    """The sum over the number of items."""
    return moment(center, data)


def var(data: Numbers) -> float:
    """First the mean, then the squared deviations from it."""
    return moment(spread, data)


def std(data: Numbers) -> float:
    """The square root of the variance."""
    return math.sqrt(var(data))


def total(items: Numbers) -> float:
    """The sum of one float or more."""
    total = 0.0
    for x in items:
        total += x
    return total


def center(items: Numbers) -> float:
    """Their mean."""
    return total(items) / len(items)


def spread(items: Numbers) -> float:
    """Their variance."""
    mean = center(items)
    total = 0.0
    for x in items:
        deviation = x - mean
        total += deviation * deviation  # not ** 2, which raises where the product is infinite
    return total / len(items)
