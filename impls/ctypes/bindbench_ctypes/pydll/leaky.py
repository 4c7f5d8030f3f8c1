"""The moments behind PyDLL, with the leaks that such code often has: the lane to look for leaks in. Its numbers are right."""

from __future__ import annotations

from . import prototype

sum = prototype("leaky_sum", 1)
mean = prototype("leaky_mean", 1)
var = prototype("leaky_var", 1)
std = prototype("leaky_std", 1)
