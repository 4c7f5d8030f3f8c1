# call: what crossing costs.
def noop():
    with nogil(RELEASE):
        bb_noop()


def add(a, b):
    cdef int64_t x = int64_of(a), y = int64_of(b), total
    with nogil(RELEASE):
        total = bb_add(x, y)
    if ((x ^ total) & (y ^ total)) < 0:  # both terms have a sign the sum has not: it wrapped around
        raise OverflowError("the sum does not fit 64 bits")
    return total


def length(data):
    cdef Py_buffer view
    cdef size_t count
    borrow(data, &view)
    with nogil(RELEASE):
        count = bb_length(<const uint8_t *>view.buf, view.len)
    PyBuffer_Release(&view)
    return count


# An int itself runs no Python code.
cdef inline int64_t int64_at(xs, Py_ssize_t i, Py_ssize_t count) except? -1:
    cdef object item = <object>PyList_GET_ITEM(xs, i)
    cdef int64_t value
    if PyLong_Check(item):
        return item
    value = int64_of(item)
    check_length(xs, count)
    return value


def take_list(xs):
    """Boxed ints in: opened one by one into an array that the kernel can read without Python."""
    if not isinstance(xs, list):
        raise TypeError(f"expected a list, not {type(xs).__name__}")
    cdef int64_t *items = NULL
    cdef int64_t total = 0
    cdef Py_ssize_t count, i
    cdef bb_status status
    try:
        with cython.critical_section(xs):  # where there is no GIL, a list is locked while it is read; elsewhere this is nothing
            count = PyList_GET_SIZE(xs)
            items = <int64_t *>room(count, sizeof(int64_t))
            for i in range(count):
                items[i] = int64_at(xs, i, count)
        with nogil(RELEASE):
            status = bb_take(items, count, &total)
    finally:
        PyMem_Free(items)
    if status != BB_OK:
        raise error_of(status, "the list")
    return total


def give_list(n):
    cdef int64_t count = count_of(n)
    if count < 0:
        raise ValueError("n must not be negative")
    cdef int64_t *items = <int64_t *>room(count, sizeof(int64_t))
    try:
        with nogil(RELEASE):
            bb_give(items, count)
        return list_of(items, count)
    finally:
        PyMem_Free(items)


# Native → Python → native: what `f` raises, or the TypeError of a result that is no int, becomes BB_CALLBACK.
cdef bb_status call_python(void *context, int64_t i, int64_t *result) except BB_CALLBACK:
    result[0] = int64_of((<object>context)(i))
    return BB_OK


def call_back(f, n):
    """The GIL stays held in every lane: all of this loop's work is Python."""
    cdef int64_t total = 0
    if not callable(f):
        raise TypeError(f"expected a function, not {type(f).__name__}")
    cdef bb_status status = bb_call_back(call_python, <void *>f, count_of(n), &total)
    if status != BB_OK:
        raise error_of(status, "the callback")
    return total


def fail():
    cdef bb_status status
    with nogil(RELEASE):
        status = bb_fail()
    raise error_of(status, "the kernel")
