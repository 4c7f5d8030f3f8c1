/* What crossing costs with Python objects on both sides. Every function returns a new reference, or NULL with an exception set. */
#include "border.h"

/* Sums are twice as wide as their terms: one that leaves 64 bits on the way and comes back is exact. */
__extension__ typedef __int128 wide;

static int int64_of(PyObject *object, long long *value)
{
    if (PyLong_Check(object)) {
        *value = PyLong_AsLongLong(object);
        return *value == -1 && PyErr_Occurred() ? -1 : 0; /* -1 is also a number */
    }
    PyObject *number = PyNumber_Index(object); /* TypeError for what is no int and gives none */
    if (number == NULL)
        return -1;
    const int status = int64_of(number, value);
    Py_DECREF(number);
    return status;
}

/* A number of items or of calls. One below 64 bits is as negative as any other. */
static int count_of(PyObject *object, long long *count)
{
    int overflow;
    PyObject *number = PyNumber_Index(object);
    if (number == NULL)
        return -1;
    *count = PyLong_AsLongLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    if (overflow > 0) {
        PyErr_SetString(PyExc_OverflowError, "the number is beyond 64 bits");
        return -1;
    }
    return 0; /* with -1 for what is below */
}

static PyObject *int_of(wide total)
{
    if (total < LLONG_MIN || total > LLONG_MAX) {
        PyErr_SetString(PyExc_OverflowError, "the sum is beyond 64 bits");
        return NULL;
    }
    return PyLong_FromLongLong((long long)total);
}

PyObject *pydll_noop(void)
{
    Py_RETURN_NONE;
}

PyObject *pydll_add(PyObject *a, PyObject *b)
{
    long long x, y;
    if (int64_of(a, &x) < 0 || int64_of(b, &y) < 0)
        return NULL;
    return int_of((wide)x + y);
}

PyObject *pydll_length(PyObject *data)
{
    Py_buffer view;
    if (bytes_view(data, &view) < 0)
        return NULL;
    Py_ssize_t length = view.len;
    PyBuffer_Release(&view);
    return PyLong_FromSsize_t(length);
}

PyObject *pydll_take_list(PyObject *list)
{
    if (!PyList_Check(list))
        return PyErr_Format(PyExc_TypeError, "a list is needed, not %.100s", Py_TYPE(list)->tp_name);
    wide total = 0;
    const Py_ssize_t count = PyList_GET_SIZE(list);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = list_item(list, i);
        if (item == NULL)
            return NULL;
        long long value;
        int status = int64_of(item, &value);
        Py_DECREF(item);
        if (status < 0)
            return NULL;
        total += value;
    }
    return int_of(total);
}

PyObject *pydll_give_list(PyObject *length)
{
    long long n;
    if (count_of(length, &n) < 0)
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
    long long n;
    wide total = 0;
    if (!PyCallable_Check(f))
        return PyErr_Format(PyExc_TypeError, "a function is needed, not %.100s", Py_TYPE(f)->tp_name);
    if (count_of(times, &n) < 0)
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
        if (status < 0)
            return NULL;
        total += value;
    }
    return int_of(total);
}

PyObject *pydll_fail(void)
{
    PyErr_SetString(PyExc_RuntimeError, "failed, as asked");
    return NULL;
}
