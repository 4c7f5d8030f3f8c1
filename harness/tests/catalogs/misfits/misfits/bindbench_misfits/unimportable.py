"""Needs what nobody has."""

import bindbench_is_not_there  # noqa: F401
