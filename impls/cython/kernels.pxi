# The kernels in Cython, with the library's names. `noexcept nogil` is what makes them C: no exception to look for after each
# call, no Python object inside. Every variable is typed; one that is not would quietly be a Python object.
from libc.math cimport sqrt
from libc.stdlib cimport free, malloc, realloc

# call ---------------------------------------------------------------------------------------------------------------------------

cdef void bb_noop() noexcept nogil:
    pass


cdef int64_t bb_add(int64_t a, int64_t b) noexcept nogil:
    return <int64_t>(<uint64_t>a + <uint64_t>b)  # C's signed overflow is undefined, not Python's big int


cdef size_t bb_length(const uint8_t *data, size_t length) noexcept nogil:
    return length


# Twice as wide as an item: 2^64 of them fit. Cython knows no such integer; the compiler does, and takes Cython's idea of it from here.
cdef extern from *:
    ctypedef long long wide "__int128"


cdef bb_status narrow(wide total, int64_t *sum) noexcept nogil:
    sum[0] = <int64_t>total
    return BB_OK if sum[0] == total else BB_OVERFLOW


cdef bb_status bb_take(const int64_t *items, size_t length, int64_t *sum) noexcept nogil:
    cdef wide total = 0
    cdef size_t i
    for i in range(length):
        total += items[i]
    return narrow(total, sum)


cdef void bb_give(int64_t *items, size_t length) noexcept nogil:
    cdef size_t i
    for i in range(length):
        items[i] = <int64_t>i


cdef bb_status bb_call_back(bb_callback f, void *context, int64_t n, int64_t *sum) except BB_CALLBACK:
    cdef wide total = 0
    cdef int64_t i, result = 0
    for i in range(n):
        f(context, i, &result)  # an exception leaves the loop here
        total += result
    return narrow(total, sum)


cdef bb_status bb_fail() noexcept nogil:
    return BB_FAILED


# kmp: Knuth, Morris and Pratt's search; every byte of the text is read once, whatever the pattern -------------------------------------

# Entry k: length of the longest proper prefix of pattern[:k] that is also its suffix; what stays matched when the next byte
# differs. NULL when there is no memory.
cdef size_t *borders_of(const uint8_t *pattern, size_t length) noexcept nogil:
    cdef size_t i, border = 0
    if length >= <size_t>-1 // sizeof(size_t):
        return NULL
    cdef size_t *borders = <size_t *>malloc((length + 1) * sizeof(size_t))
    if borders == NULL:
        return NULL
    borders[0] = borders[1] = 0
    for i in range(1, length):
        while border > 0 and pattern[i] != pattern[border]:
            border = borders[border]
        if pattern[i] == pattern[border]:
            border += 1
        borders[i + 1] = border
    return borders


cdef bb_status append(bb_offsets *offsets, uint64_t offset) noexcept nogil:
    cdef size_t capacity
    cdef uint64_t *data
    if offsets.length == offsets.capacity:
        capacity = 2 * offsets.capacity if offsets.capacity else 64
        data = <uint64_t *>realloc(offsets.data, capacity * sizeof(uint64_t))
        if data == NULL:
            return BB_MEMORY  # what was found so far is still there: the caller frees it
        offsets.data = data
        offsets.capacity = capacity
    offsets.data[offsets.length] = offset
    offsets.length += 1
    return BB_OK


cdef bb_status scan(const uint8_t *text, size_t start, size_t limit, const uint8_t *pattern, size_t pattern_length,
                    const size_t *borders, bb_offsets *offsets) noexcept nogil:
    cdef size_t matched = 0
    while start < limit:
        if matched == 0:
            while start < limit and text[start] != pattern[0]:
                start += 1
        while start < limit and text[start] == pattern[matched]:
            start += 1
            matched += 1
            if matched == pattern_length:
                if append(offsets, start - pattern_length) != BB_OK:
                    return BB_MEMORY
                matched = borders[pattern_length]
        matched = borders[matched]  # text[start] again, against a shorter match
    return BB_OK


cdef bb_status bb_kmp_find(const uint8_t *text, size_t text_length, const uint8_t *pattern, size_t pattern_length,
                           size_t start, size_t end, bb_offsets *found) noexcept nogil:
    cdef bb_offsets offsets = bb_offsets(NULL, 0, 0)
    cdef size_t limit = text_length
    cdef size_t *borders
    cdef bb_status status
    if pattern_length == 0:
        return BB_EMPTY
    if end < text_length and pattern_length - 1 < text_length - end:
        limit = end + pattern_length - 1  # a match may begin before the end and stop this far past it
    if start < limit and pattern_length <= limit - start:
        borders = borders_of(pattern, pattern_length)
        if borders == NULL:
            return BB_MEMORY
        status = scan(text, start, limit, pattern, pattern_length, borders, &offsets)
        free(borders)
        if status != BB_OK:
            bb_offsets_free(&offsets)
            return status
    found[0] = offsets
    return BB_OK


cdef void bb_offsets_free(bb_offsets *found) noexcept nogil:
    free(found.data)
    found[0] = bb_offsets(NULL, 0, 0)


# std: population moments in two passes, every addition in the order of the data -------------------------------------------------------

cdef bb_status bb_sum(const double *data, size_t length, double *result) noexcept nogil:
    cdef double total = 0
    cdef size_t i
    if length == 0:
        return BB_EMPTY
    for i in range(length):
        total += data[i]
    result[0] = total
    return BB_OK


cdef bb_status bb_mean(const double *data, size_t length, double *result) noexcept nogil:
    cdef double total
    cdef bb_status status = bb_sum(data, length, &total)
    if status == BB_OK:
        result[0] = total / length
    return status


cdef bb_status bb_var(const double *data, size_t length, double *result) noexcept nogil:
    cdef double mean, deviation, squares = 0
    cdef size_t i
    cdef bb_status status = bb_mean(data, length, &mean)
    if status != BB_OK:
        return status
    for i in range(length):
        deviation = data[i] - mean
        squares += deviation * deviation
    result[0] = squares / length
    return BB_OK


cdef bb_status bb_std(const double *data, size_t length, double *result) noexcept nogil:
    cdef double variance
    cdef bb_status status = bb_var(data, length, &variance)
    if status == BB_OK:
        result[0] = sqrt(variance)
    return status
