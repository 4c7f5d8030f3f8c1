"""The two functions behind Cython."""

from libc.stdint cimport int64_t


cdef extern from "burn.h":
    void truth_first(int64_t ns)
    void truth_second(int64_t ns)


def first(int64_t ns):
    truth_first(ns)


def second(int64_t ns):
    truth_second(ns)
