"""Through PyO3."""

from time import thread_time_ns

import truth_pyo3


def python_loop(ns: int) -> None:
    end = thread_time_ns() + ns
    while thread_time_ns() < end:
        for _ in range(500):
            pass


def noop() -> None:
    truth_pyo3.first(3_000_000)
    truth_pyo3.second(5_000_000)
    python_loop(2_000_000)
