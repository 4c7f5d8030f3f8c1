/* The moments as one often sees them: each calls the one before, which returns a Python object, reads the number out of it, and
 * forgets it. A reference that nobody gives back keeps its object for ever: a float in mean, two in var, three in std, 32 bytes
 * each. The answers are right. To be compared with std.c, where doubles go from one to the next. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>

#include "list_item.h"

/* One pass over a list: the sum of the items' distances from `centre`, to the power of `power` (1 or 2), in a new float. */
static PyObject *sum_of_powers(PyObject *data, double centre, int power)
{
    double total = 0.0;
    if (!PyList_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "a list is needed");
        return NULL;
    }
    if (PyList_GET_SIZE(data) == 0) {
        PyErr_SetString(PyExc_ValueError, "no data");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(data); i++) {
        PyObject *item = list_item(data, i);
        if (item == NULL)
            return NULL;
        double x = PyFloat_AsDouble(item);
        Py_DECREF(item);
        if (x == -1.0 && PyErr_Occurred())
            return NULL;
        total += power == 1 ? x : (x - centre) * (x - centre);
    }
    return PyFloat_FromDouble(total);
}

/* Converting an item may have emptied the list. */
static PyObject *divided_by_length(double total, PyObject *data)
{
    Py_ssize_t count = PyList_GET_SIZE(data);
    if (count == 0) {
        PyErr_SetString(PyExc_ValueError, "no data");
        return NULL;
    }
    return PyFloat_FromDouble(total / (double)count);
}

PyObject *leaky_sum(PyObject *data)
{
    return sum_of_powers(data, 0.0, 1);
}

PyObject *leaky_mean(PyObject *data)
{
    PyObject *sum = leaky_sum(data);
    if (sum == NULL)
        return NULL;
    return divided_by_length(PyFloat_AS_DOUBLE(sum), data); /* sum leaks: Py_DECREF(sum) is missing */
}

PyObject *leaky_var(PyObject *data)
{
    PyObject *mean = leaky_mean(data);
    if (mean == NULL)
        return NULL;
    PyObject *squares = sum_of_powers(data, PyFloat_AS_DOUBLE(mean), 2);
    if (squares == NULL)
        return NULL;
    PyObject *variance = divided_by_length(PyFloat_AS_DOUBLE(squares), data);
    Py_DECREF(squares);
    return variance; /* mean leaks */
}

PyObject *leaky_std(PyObject *data)
{
    PyObject *variance = leaky_var(data);
    if (variance == NULL)
        return NULL;
    return PyFloat_FromDouble(sqrt(PyFloat_AS_DOUBLE(variance))); /* variance leaks */
}
