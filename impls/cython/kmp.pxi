# kmp: two views of bytes in, a list of ints out.

# A typed memoryview says what it wants: uint8 items, side by side (`::1`), read-only allowed (`const`). Two of its answers have to be
# bent: it takes None for "no view", and calls a wrong item type a ValueError.
cdef const uint8_t[::1] bytes_view(data):
    if data is None:
        raise TypeError("a bytes-like object is required, not 'NoneType'")
    try:
        return data
    except ValueError as mismatch:
        raise TypeError(str(mismatch)) from None


def find_all(text, pattern):
    cdef const uint8_t[::1] haystack = bytes_view(text), needle = bytes_view(pattern)
    cdef bb_offsets found = bb_offsets(NULL, 0, 0)
    cdef bb_status status
    # Pointer and length, never strlen: a NUL is a byte like any other.
    with nogil(RELEASE):
        status = bb_kmp_find(&haystack[0], haystack.shape[0], &needle[0], needle.shape[0], 0, haystack.shape[0], &found)
    if status != BB_OK:
        raise error_of(status, "pattern")
    try:
        return list_of(<const int64_t *>found.data, found.length)  # offsets into memory stay below 2^63
    finally:
        bb_offsets_free(&found)
