# What several operations need at the border.
cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_Check
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.number cimport PyNumber_Index


# Room for `count` items, to be freed by the caller.
cdef void *room(size_t count, size_t size) except NULL:
    if count > <size_t>-1 // size:
        raise MemoryError
    cdef void *items = PyMem_Malloc(count * size)
    if items == NULL:
        raise MemoryError
    return items


# An int in, or what gives one by __index__. A conversion to a C integer alone would cut the fraction off a float without a word.
cdef inline int64_t int64_of(item) except? -1:
    return item if PyLong_Check(item) else PyNumber_Index(item)  # OverflowError beyond 64 bits


# A number of items or of calls. One below 64 bits is as negative as any other.
cdef int64_t count_of(n) except? -1:
    cdef int overflow = 0
    cdef int64_t count = PyLong_AsLongLongAndOverflow(PyNumber_Index(n), &overflow)
    if overflow > 0:
        raise OverflowError("the number does not fit 64 bits")
    return count  # -1 for what is below


# The list's length is taken once, and its items are read from its own storage, whatever a subclass says of either: Cython's own
# `xs[i]` and `len(xs)` would ask the subclass, or refuse it. Python code that runs meanwhile, an item's __index__ or __float__, may
# change the list: then there is no answer.
cdef inline int check_length(xs, Py_ssize_t count) except -1:
    if PyList_GET_SIZE(xs) != count:
        raise RuntimeError("the list changed its length while it was read")
    return 0


# Bytes in: a bare Py_buffer welcomes all formats and dimensions that lie in one piece, and costs less than a typed memoryview. To be
# released by the caller. NumPy says ValueError of memory that does not lie in one piece.
cdef int borrow(data, Py_buffer *view) except -1:
    try:
        return PyObject_GetBuffer(data, view, PyBUF_SIMPLE)
    except ValueError:
        if memoryview(data).c_contiguous:
            raise
        raise BufferError("the buffer is not contiguous") from None


# Ints out: one object made for each item.
cdef list list_of(const int64_t *items, size_t count):
    cdef size_t i
    return [items[i] for i in range(count)]


# The exception that belongs to a status. BB_CALLBACK never comes here: `except` has passed it on.
cdef object error_of(bb_status status, str what):
    if status == BB_EMPTY:
        return ValueError(f"empty {what}")
    if status == BB_INVALID:
        return ValueError(f"invalid {what}")
    if status == BB_MEMORY:
        return MemoryError()
    if status == BB_OVERFLOW:
        return OverflowError("the sum does not fit 64 bits")
    return RuntimeError(f"{what} failed")
