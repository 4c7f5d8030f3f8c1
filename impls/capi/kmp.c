/* kmp: two views of bytes in, a list of ints out. */
#include "border.h"

static PyObject *kmp_find_all(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    Py_buffer text, pattern;
    bb_offsets found = {0};
    bb_status status;
    if (check_count("find_all", 2, count) < 0 || bytes_view(arguments[0], &text) < 0)
        return NULL;
    if (bytes_view(arguments[1], &pattern) < 0) {
        PyBuffer_Release(&text);
        return NULL;
    }
    /* Pointer and length, never strlen: a NUL is a byte like any other. */
    KERNEL(status = bb_kmp_find(text.buf, (size_t)text.len, pattern.buf, (size_t)pattern.len, 0, (size_t)text.len, &found));
    PyBuffer_Release(&pattern);
    PyBuffer_Release(&text);
    if (status != BB_OK)
        return raise_status(status, "pattern");
    PyObject *offsets = list_of((const int64_t *)found.data, found.length); /* offsets into memory stay below 2^63 */
    bb_offsets_free(&found);
    return offsets;
}

PyMethodDef kmp_operations[] = {
    {"find_all", (PyCFunction)(void (*)(void))kmp_find_all, METH_FASTCALL, "find_all(text: bytes-like, pattern: bytes) -> list[int]"},
    {NULL, NULL, 0, NULL},
};
