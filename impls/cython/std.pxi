# std: float64 in, one float out. A list is unboxed into an array first; a buffer is read where it lies.
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_AsDouble, PyFloat_CheckExact
from cpython.long cimport PyLong_AsDouble
from libc.stdint cimport uintptr_t
from libc.string cimport memcpy


# `<double>item` would do, but takes an int by way of a new float object. Asking for the type first does not, and runs no Python
# code. What is neither an int nor a float may run some.
cdef inline double float64_at(xs, Py_ssize_t i, Py_ssize_t count) except? -1:
    cdef object item = <object>PyList_GET_ITEM(xs, i)
    cdef double value
    if PyFloat_CheckExact(item):
        return PyFloat_AS_DOUBLE(item)
    if PyLong_Check(item):
        return PyLong_AsDouble(item)  # OverflowError beyond the range of a double
    value = PyFloat_AsDouble(item)  # a subclass, __float__, __index__
    check_length(xs, count)
    return value


# A typed memoryview says what it wants: float64 items, side by side (`::1`), read-only allowed (`const`). Its answers have to be bent:
# it takes None for "no view", and calls a wrong item type a ValueError, as NumPy does memory that does not lie in one piece.
cdef const double[::1] float64_view(data):
    if data is None:
        raise TypeError("expected a list or a buffer of float64, not None")
    try:
        return data
    except ValueError as mismatch:
        view = memoryview(data)
        if view.ndim == 1 and view.format.endswith("d"):
            if view.nbytes == 0:  # a ctypes array of nothing has items of no bytes, before 3.10
                raise ValueError("empty data") from None
            if not view.c_contiguous:
                raise BufferError(str(mismatch)) from None
        raise TypeError(str(mismatch)) from None


cdef double of_list(moment kernel, xs) except? -1:
    cdef double *items = NULL
    cdef double result = 0
    cdef Py_ssize_t count, i
    cdef bb_status status
    try:
        with cython.critical_section(xs):  # where there is no GIL, a list is locked while it is read; elsewhere this is nothing
            count = PyList_GET_SIZE(xs)
            items = <double *>room(count, sizeof(double))
            for i in range(count):
                items[i] = float64_at(xs, i, count)
        with nogil(RELEASE):
            status = kernel(items, count, &result)
    finally:
        PyMem_Free(items)
    if status != BB_OK:
        raise error_of(status, "data")
    return result


cdef double of_buffer(moment kernel, data) except? -1:
    cdef const double[::1] view = float64_view(data)
    cdef const double *items = &view[0]
    cdef double *aligned = NULL
    cdef double result = 0
    cdef bb_status status
    if view.shape[0] > 0 and <uintptr_t>items % sizeof(double) != 0:  # memoryview(data)[1:]: no double may be read there
        aligned = <double *>room(view.shape[0], sizeof(double))
        items = <const double *>memcpy(aligned, items, view.shape[0] * sizeof(double))
    with nogil(RELEASE):
        status = kernel(items, view.shape[0], &result)
    PyMem_Free(aligned)
    if status != BB_OK:
        raise error_of(status, "data")
    return result


cdef double moment_of(moment kernel, data) except? -1:
    return of_list(kernel, data) if isinstance(data, list) else of_buffer(kernel, data)


def sum(data):
    return moment_of(bb_sum, data)


def mean(data):
    return moment_of(bb_mean, data)


def var(data):
    return moment_of(bb_var, data)


def std(data):
    return moment_of(bb_std, data)
