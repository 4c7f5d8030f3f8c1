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
MOST = Fraction(sys.float_info.max)


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


def _float(number: Fraction) -> float:
    """The float; of what is beyond all floats, an infinity."""
    if abs(number) > MOST:
        return math.inf if number > 0 else -math.inf
    return float(number)


class Moments:
    """Population moments of numbers taken as float64, exact until the last step, and how far from them a lane may be."""

    def __init__(self, numbers: list[Any]) -> None:
        items = [float(number) for number in numbers]
        self._sum_slack = self._mean_slack = self._var_slack = 0.0
        # Which of inf and nan an answer that is not finite is, is promised of sum and mean only.
        self._sum_may_overflow = self._squares_may_overflow = self._squares_overflow = False
        if not all(map(math.isfinite, items)):
            self.sum = sum(items)
            self.mean = self.sum / len(items)
            self.var = math.nan
            self._squares_overflow = True
            return
        exact = [Fraction(item) for item in items]
        total, size, mean = sum(exact), sum(map(abs, exact)), sum(exact) / len(exact)
        squares = [(item - mean) ** 2 for item in exact]
        self.sum, self.mean, self.var = _float(total), _float(mean), _float(sum(squares) / len(exact))
        self._sum_may_overflow = size > MOST
        self._squares_overflow = max(squares) > MOST
        self._squares_may_overflow = self._sum_may_overflow or sum(squares) > MOST
        self._mean_slack = float(size / len(exact) / 10**9)
        self._sum_slack = _float(size / 10**9)
        # A two-pass variance is off by what its mean is off by; a one-pass formula, off by EPSILON * mean², is found out.
        mean_error = len(items) * EPSILON * max(map(abs, items))
        if math.isfinite(mean_error * mean_error):
            self._var_slack = 2 * math.sqrt(self.var) * mean_error + mean_error * mean_error
        self._var_slack += 1e-9 * self.var

    def accept(self, operation: str, answer: dict[str, Any]) -> bool:
        """Whether an answer to `sum`, `mean`, `var` or `std` is right."""
        if "float" not in answer:
            return False
        given = float(answer["float"])
        if operation in ("sum", "mean"):
            wanted, slack = (self.sum, self._sum_slack) if operation == "sum" else (self.mean, self._mean_slack)
            return self._near(given, wanted, slack) or (self._sum_may_overflow and not math.isfinite(given))
        if not math.isfinite(given):
            return self._squares_overflow or self._squares_may_overflow
        if self._squares_overflow or given < 0:
            return False
        if operation == "std":
            given *= given  # the standard deviation's error is judged where it has a scale: as a variance
        return self._near(given, self.var, self._var_slack)

    @staticmethod
    def _near(given: float, wanted: float, slack: float) -> bool:
        if math.isnan(wanted):
            return math.isnan(given)
        if math.isinf(wanted):
            return given == wanted
        return abs(given - wanted) <= slack + sys.float_info.min
