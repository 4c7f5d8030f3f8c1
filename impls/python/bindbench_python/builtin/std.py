"""`sum` and `statistics`.

`statistics` adds exactly, in fractions where it must. That is why it is slow, and why it raises for data whose exact sum has
no float, where plain arithmetic answers inf or nan: the written-out loops answer for it then.
"""

from __future__ import annotations

import builtins
import contextlib
import math
import statistics

from ..inputs import Numbers, numbers
from ..pure import std as written_out


def sum(data: Numbers) -> float:
    """The sum; of ints it is exact until `float` rounds it."""
    return float(builtins.sum(numbers(data)))


def mean(data: Numbers) -> float:
    """`statistics.fmean`."""
    try:
        return statistics.fmean(numbers(data))
    except (OverflowError, ValueError):  # beyond float64 on the way, or inf - inf, or no data: that raises again
        return written_out.mean(data)


def var(data: Numbers) -> float:
    """`statistics.pvariance` around our mean, which has looked at every item by then."""
    center = mean(data)
    if math.isfinite(center):
        with contextlib.suppress(OverflowError):
            variance = float(statistics.pvariance(data, center))
            if math.isfinite(variance):
                return variance
    return written_out.var(data)


def std(data: Numbers) -> float:
    """Its root. Not `statistics.pstdev`: given a mean and deviations too large to square, it fails over an attribute of inf."""
    return math.sqrt(var(data))
