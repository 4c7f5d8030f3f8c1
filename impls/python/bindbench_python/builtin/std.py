"""`sum` and `statistics`.

`statistics` adds exactly, in fractions where it must. That is why it is slow, and why it raises for data whose exact sum has
no float, where plain arithmetic answers inf or nan: the written-out loops answer for it then.
"""

from __future__ import annotations

import builtins
import contextlib
import math
import statistics
from array import array

from ..inputs import Numbers, moment
from ..pure.std import center, spread


def sum(data: Numbers) -> float:
    """The sum. It starts from a float: of ints alone it would be exact, and no float where it is too large for one."""
    return moment(lambda items: builtins.sum(items, 0.0), data, snapshot=False)


def mean(data: Numbers) -> float:
    """`statistics.fmean`."""
    return moment(_mean, data)


def var(data: Numbers) -> float:
    """`statistics.pvariance` around our mean."""
    return moment(_var, data)


def std(data: Numbers) -> float:
    """Its root. Not `statistics.pstdev`: given a mean and deviations too large to square, it fails over an attribute of inf."""
    return math.sqrt(var(data))


def _mean(items: Numbers) -> float:
    try:
        return statistics.fmean(items)
    except (OverflowError, ValueError):  # beyond float64 on the way, or inf - inf
        return center(items)


def _var(items: Numbers) -> float:
    items = array("d", items)  # of an int with a `__float__` of its own, `fmean` would take that, and `pvariance` the int
    mean = _mean(items)
    if math.isfinite(mean):
        with contextlib.suppress(OverflowError):
            variance = statistics.pvariance(items, mean)
            if math.isfinite(variance):
                return variance
    return spread(items)
