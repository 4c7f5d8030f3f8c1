/* What crossing costs with Python objects on both sides. Every function returns a new reference, or NULL with an exception set. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "list_item.h"

static int int64_of(PyObject *number, long long *value)
{
    if (!PyLong_Check(number)) {
        PyErr_Format(PyExc_TypeError, "an int is needed, not %.100s", Py_TYPE(number)->tp_name);
        return -1;
    }
    *value = PyLong_AsLongLong(number);
    return *value == -1 && PyErr_Occurred() ? -1 : 0; /* -1 is also a number */
}

static int add_to(long long *total, long long value)
{
    if (__builtin_add_overflow(*total, value, total)) {
        PyErr_SetString(PyExc_OverflowError, "the sum is beyond 64 bits");
        return -1;
    }
    return 0;
}

PyObject *pydll_noop(void)
{
    Py_RETURN_NONE;
}

PyObject *pydll_add(PyObject *a, PyObject *b)
{
    long long total, value;
    if (int64_of(a, &total) < 0 || int64_of(b, &value) < 0 || add_to(&total, value) < 0)
        return NULL;
    return PyLong_FromLongLong(total);
}

PyObject *pydll_length(PyObject *data)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    Py_ssize_t length = view.len;
    PyBuffer_Release(&view);
    return PyLong_FromSsize_t(length);
}

PyObject *pydll_take_list(PyObject *list)
{
    if (!PyList_Check(list))
        return PyErr_Format(PyExc_TypeError, "a list is needed, not %.100s", Py_TYPE(list)->tp_name);
    long long total = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *item = list_item(list, i);
        if (item == NULL)
            return NULL;
        long long value;
        int status = int64_of(item, &value);
        Py_DECREF(item);
        if (status < 0 || add_to(&total, value) < 0)
            return NULL;
    }
    return PyLong_FromLongLong(total);
}

PyObject *pydll_give_list(PyObject *length)
{
    long long n;
    if (int64_of(length, &n) < 0)
        return NULL;
    if (n < 0) {
        PyErr_SetString(PyExc_ValueError, "n must not be negative");
        return NULL;
    }
    PyObject *list = PyList_New((Py_ssize_t)n);
    if (list == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *number = PyLong_FromSsize_t(i);
        if (number == NULL) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, i, number); /* the list takes our reference over */
    }
    return list;
}

PyObject *pydll_call_back(PyObject *f, PyObject *times)
{
    long long n, total = 0;
    if (int64_of(times, &n) < 0)
        return NULL;
    for (long long i = 0; i < n; i++) {
        PyObject *argument = PyLong_FromLongLong(i);
        if (argument == NULL)
            return NULL;
        PyObject *answer = PyObject_CallOneArg(f, argument);
        Py_DECREF(argument);
        if (answer == NULL)
            return NULL; /* the exception f raised is still set, and goes on its way */
        long long value;
        int status = int64_of(answer, &value);
        Py_DECREF(answer);
        if (status < 0 || add_to(&total, value) < 0)
            return NULL;
    }
    return PyLong_FromLongLong(total);
}

PyObject *pydll_fail(void)
{
    PyErr_SetString(PyExc_RuntimeError, "failed, as asked");
    return NULL;
}
