/* One item of a list as a reference of our own: converting it may run Python code, which may change the list. */
#ifndef LIST_ITEM_H
#define LIST_ITEM_H

#include <Python.h>

static inline PyObject *list_item(PyObject *list, Py_ssize_t i)
{
#if PY_VERSION_HEX >= 0x030D0000
    return PyList_GetItemRef(list, i); /* NULL and IndexError when the list has become shorter */
#else
    PyObject *item = PyList_GetItem(list, i);
    Py_XINCREF(item);
    return item;
#endif
}

#endif
