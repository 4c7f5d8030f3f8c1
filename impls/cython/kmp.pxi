# kmp: two views of bytes in, a list of ints out.

def find_all(text, pattern):
    cdef Py_buffer haystack, needle
    cdef bb_offsets found = bb_offsets(NULL, 0, 0)
    cdef bb_status status
    borrow(text, &haystack)
    try:
        borrow(pattern, &needle)
        # Pointer and length, never strlen: a NUL is a byte like any other.
        with nogil(RELEASE):
            status = bb_kmp_find(<const uint8_t *>haystack.buf, haystack.len, <const uint8_t *>needle.buf, needle.len,
                                 0, haystack.len, &found)
        PyBuffer_Release(&needle)
    finally:
        PyBuffer_Release(&haystack)
    if status != BB_OK:
        raise error_of(status, "pattern")
    try:
        return list_of(<const int64_t *>found.data, found.length)  # offsets into memory stay below 2^63
    finally:
        bb_offsets_free(&found)
