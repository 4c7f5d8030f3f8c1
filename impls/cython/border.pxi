# What several operations need at the border.
cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc


# Room for `count` items, to be freed by the caller.
cdef void *room(size_t count, size_t size) except NULL:
    if count > <size_t>-1 // size:
        raise MemoryError
    cdef void *items = PyMem_Malloc(count * size)
    if items == NULL:
        raise MemoryError
    return items


# An int in. The type is checked first: a conversion to a C integer alone would cut the fraction off a float without a word.
cdef inline int64_t int64_of(item) except? -1:
    if not isinstance(item, int):
        raise TypeError(f"expected an int, not {type(item).__name__}")
    return item  # OverflowError beyond 64 bits


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
    return RuntimeError(f"{what} failed")
