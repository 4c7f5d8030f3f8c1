# std: float64 in, one float out. A list is unboxed into an array first; a buffer is read where it lies.
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_Check, PyFloat_CheckExact
from cpython.long cimport PyLong_AsDouble, PyLong_Check
from libc.stdint cimport uintptr_t


# `<double>item` would do, but takes an int by way of a new float object. Asking for the type first does not, and runs no Python
# code, so the list cannot change under the loop.
cdef inline double float64_of(item) except? -1:
    if PyFloat_CheckExact(item):
        return PyFloat_AS_DOUBLE(item)
    if PyLong_Check(item):
        return PyLong_AsDouble(item)  # OverflowError beyond the range of a double
    if PyFloat_Check(item):  # a subclass: rare, so asked for last
        return PyFloat_AS_DOUBLE(item)
    raise TypeError(f"expected an int or a float, not {type(item).__name__}")


# See bytes_view in kmp.pxi. The kernels also count on aligned items, which a memoryview does not promise.
cdef const double[::1] float64_view(data):
    cdef const double[::1] view
    if data is None:
        raise TypeError("expected a list or a buffer of float64, not None")
    try:
        view = data
    except ValueError as mismatch:
        raise TypeError(str(mismatch)) from None
    if view.shape[0] > 0 and <uintptr_t>&view[0] % sizeof(double) != 0:
        raise BufferError("the buffer is not aligned")
    return view


cdef double of_list(moment kernel, list xs) except? -1:
    cdef double *items = NULL
    cdef double result = 0
    cdef size_t count, i
    cdef bb_status status
    try:
        with cython.critical_section(xs):  # where there is no GIL, a list is locked while it is read; elsewhere this is nothing
            count = len(xs)
            items = <double *>room(count, sizeof(double))
            for i in range(count):
                items[i] = float64_of(xs[i])
        with nogil(RELEASE):
            status = kernel(items, count, &result)
    finally:
        PyMem_Free(items)
    if status != BB_OK:
        raise error_of(status, "data")
    return result


cdef double of_buffer(moment kernel, data) except? -1:
    cdef const double[::1] view = float64_view(data)
    cdef double result = 0
    cdef bb_status status
    with nogil(RELEASE):
        status = kernel(&view[0], view.shape[0], &result)
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
