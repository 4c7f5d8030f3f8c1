/* What every workload here needs at the border: ints, bytes and the items of a list, of Python's own objects. */
#ifndef PYDLL_BORDER_H
#define PYDLL_BORDER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* One item of a list as a reference of our own: converting it may run Python code, which may change the list. */
static inline PyObject *list_item(PyObject *list, Py_ssize_t i)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *item = PyList_GetItemRef(list, i);
#else
    PyObject *item = PyList_GetItem(list, i);
    Py_XINCREF(item);
#endif
    if (item == NULL) /* IndexError: the list has become shorter than it was when its length was taken */
        PyErr_SetString(PyExc_RuntimeError, "the list changed its length while it was read");
    return item;
}

/* Bytes: any memory that lies in one piece. NumPy says ValueError of one that does not; then it is asked for everything. */
static inline int bytes_view(PyObject *data, Py_buffer *view)
{
    if (PyObject_GetBuffer(data, view, PyBUF_SIMPLE) == 0)
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_ValueError))
        return -1;
    PyErr_Clear();
    if (PyObject_GetBuffer(data, view, PyBUF_FULL_RO) < 0)
        return -1;
    if (PyBuffer_IsContiguous(view, 'C'))
        return 0;
    PyBuffer_Release(view);
    PyErr_SetString(PyExc_BufferError, "the buffer must be contiguous");
    return -1;
}

#endif
