"""The right answers, by the plainest means: nothing here is fast, and nothing is shared with a lane."""

from __future__ import annotations

import hashlib
import math
import sys
from array import array
from fractions import Fraction
from functools import lru_cache
from typing import Any

EPSILON = sys.float_info.epsilon


@lru_cache(maxsize=16)
def find_all(text: bytes, pattern: bytes) -> list[int]:
    """Every start offset, ascending."""
    return [start for start in range(len(text) - len(pattern) + 1) if text.startswith(pattern, start)]


def integers(values: list[int], with_values: bool = True, kind: str = "integers") -> dict[str, Any]:
    """The answer that is a list of these; of the kind `uint32`, a buffer of these."""
    packed = array("Q", values)
    if sys.byteorder == "big":
        packed.byteswap()
    described: dict[str, Any] = {"count": len(values), "sha256": hashlib.sha256(packed.tobytes()).hexdigest()}
    return {kind: {**described, "values": values} if with_values else described}


class Moments:
    """Population moments of numbers taken as float64, exact until the last step, and how far from them a lane may be."""

    def __init__(self, numbers: list[Any]) -> None:
        items = [float(number) for number in numbers]
        self._sum_slack = self._mean_slack = self._var_slack = 0.0
        if not all(map(math.isfinite, items)):
            self.sum = sum(items)
            self.mean = self.sum / len(items)
            self.var = math.nan  # some deviation is inf − inf, or from nan
            return
        exact = [Fraction(item) for item in items]
        mean = sum(exact) / len(exact)
        self.sum = float(sum(exact))
        self.mean = float(mean)
        self.var = float(sum((item - mean) ** 2 for item in exact) / len(exact))
        self._sum_slack = 1e-9 * math.fsum(map(abs, items))
        self._mean_slack = self._sum_slack / len(items)
        # A two-pass variance is off by what its mean is off by; a one-pass formula, off by EPSILON * mean², is found out.
        mean_error = len(items) * EPSILON * max(map(abs, items))
        self._var_slack = 1e-9 * self.var + 2 * math.sqrt(self.var) * mean_error + mean_error**2

    def accept(self, operation: str, answer: dict[str, Any]) -> bool:
        """Whether an answer to `sum`, `mean`, `var` or `std` is right."""
        if "float" not in answer:
            return False
        given = float(answer["float"])
        if operation == "sum":
            return self._near(given, self.sum, self._sum_slack)
        if operation == "mean":
            return self._near(given, self.mean, self._mean_slack)
        if operation == "std":
            if given < 0:
                return False
            given *= given  # the standard deviation's error is judged where it has a scale: as a variance
        return self._near(given, self.var, self._var_slack)

    @staticmethod
    def _near(given: float, wanted: float, slack: float) -> bool:
        if math.isnan(wanted):
            return math.isnan(given)
        if math.isinf(wanted):
            return given == wanted
        return abs(given - wanted) <= slack + sys.float_info.min
