# The kernels' types, from the header that Cython's kernels and the library share. `cdef extern` tells Cython what the C compiler
# will find there; nothing is checked before C is compiled.
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

cdef extern from "bindbench_kernels.h":
    ctypedef int bb_status
    enum:
        BB_OK
        BB_EMPTY
        BB_MEMORY
        BB_CALLBACK
        BB_FAILED
        BB_INVALID
        BB_OVERFLOW
    ctypedef struct bb_offsets:
        uint64_t *data
        size_t length
        size_t capacity
    ctypedef struct bb_tokens:
        uint32_t *data
        size_t length
        size_t capacity

# `except BB_CALLBACK`: this status means that a Python exception is set. Cython keeps the convention on both sides, as the callee
# by returning it when Python code raises, and as the caller by passing the exception on.
ctypedef bb_status (*bb_callback)(void *context, int64_t i, int64_t *result) except BB_CALLBACK
ctypedef bb_status (*moment)(const double *data, size_t length, double *result) noexcept nogil
