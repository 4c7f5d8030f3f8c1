/* Knuth-Morris-Pratt over borrowed buffers; each match becomes an int in the list at once. */
#include "border.h"

/* For each prefix of the pattern, the length of its longest proper prefix that is also its suffix. */
static void fill_borders(const unsigned char *pattern, Py_ssize_t length, Py_ssize_t *border)
{
    Py_ssize_t matched = 0;
    border[0] = 0;
    for (Py_ssize_t i = 1; i < length; i++) {
        while (matched > 0 && pattern[matched] != pattern[i])
            matched = border[matched - 1];
        if (pattern[matched] == pattern[i])
            matched++;
        border[i] = matched;
    }
}

static int append_offset(PyObject *list, Py_ssize_t offset)
{
    PyObject *number = PyLong_FromSsize_t(offset);
    if (number == NULL)
        return -1;
    int status = PyList_Append(list, number); /* takes a reference of its own: ours has to go, or every match leaks */
    Py_DECREF(number);
    return status;
}

static PyObject *search(const Py_buffer *text, const Py_buffer *pattern, const Py_ssize_t *border)
{
    const unsigned char *bytes = text->buf, *sought = pattern->buf;
    PyObject *found = PyList_New(0);
    if (found == NULL)
        return NULL;
    Py_ssize_t matched = 0;
    for (Py_ssize_t i = 0; i < text->len; i++) {
        while (matched > 0 && sought[matched] != bytes[i])
            matched = border[matched - 1];
        if (sought[matched] == bytes[i])
            matched++;
        if (matched == pattern->len) {
            if (append_offset(found, i + 1 - matched) < 0) {
                Py_DECREF(found);
                return NULL;
            }
            matched = border[matched - 1];
        }
    }
    return found;
}

PyObject *pydll_find_all(PyObject *text, PyObject *pattern)
{
    Py_buffer text_view, pattern_view;
    PyObject *found = NULL;
    if (bytes_view(text, &text_view) < 0)
        return NULL;
    if (bytes_view(pattern, &pattern_view) < 0)
        goto release_text;
    if (pattern_view.len == 0) {
        PyErr_SetString(PyExc_ValueError, "the pattern is empty");
        goto release_pattern;
    }
    Py_ssize_t *border = PyMem_Calloc((size_t)pattern_view.len, sizeof *border);
    if (border == NULL) {
        PyErr_NoMemory();
        goto release_pattern;
    }
    fill_borders(pattern_view.buf, pattern_view.len, border);
    found = search(&text_view, &pattern_view, border);
    PyMem_Free(border);
release_pattern:
    PyBuffer_Release(&pattern_view);
release_text:
    PyBuffer_Release(&text_view);
    return found;
}
