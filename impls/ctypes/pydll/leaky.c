/* The moments as one often sees them: each calls the one before, which returns a Python object, reads the number out of it, and
 * forgets it. A reference that nobody gives back keeps its object for ever: a float in mean, two in var, three in std, 32 bytes
 * each. The answers are right. To be compared with std.c, where doubles go from one to the next. */
#include "border.h"

#include <math.h>

/* The list's length, taken once: converting an item may change it. */
static Py_ssize_t count_items(PyObject *data)
{
    if (!PyList_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "a list is needed");
        return -1;
    }
    if (PyList_GET_SIZE(data) == 0) {
        PyErr_SetString(PyExc_ValueError, "no data");
        return -1;
    }
    return PyList_GET_SIZE(data);
}

/* One pass over a list: the sum of the items' distances from `centre`, to the power of `power` (1 or 2), in a new float. */
static PyObject *sum_of_powers(PyObject *data, Py_ssize_t count, double centre, int power)
{
    double total = 0.0;
    for (Py_ssize_t i = 0; i < count; i++) {
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

static PyObject *mean_of(PyObject *data, Py_ssize_t count)
{
    PyObject *sum = sum_of_powers(data, count, 0.0, 1);
    if (sum == NULL)
        return NULL;
    return PyFloat_FromDouble(PyFloat_AS_DOUBLE(sum) / (double)count); /* sum leaks: Py_DECREF(sum) is missing */
}

static PyObject *variance_of(PyObject *data, Py_ssize_t count)
{
    PyObject *mean = mean_of(data, count);
    if (mean == NULL)
        return NULL;
    PyObject *squares = sum_of_powers(data, count, PyFloat_AS_DOUBLE(mean), 2);
    if (squares == NULL)
        return NULL;
    PyObject *variance = PyFloat_FromDouble(PyFloat_AS_DOUBLE(squares) / (double)count);
    Py_DECREF(squares);
    return variance; /* mean leaks */
}

static PyObject *deviation_of(PyObject *data, Py_ssize_t count)
{
    PyObject *variance = variance_of(data, count);
    if (variance == NULL)
        return NULL;
    return PyFloat_FromDouble(sqrt(PyFloat_AS_DOUBLE(variance))); /* variance leaks */
}

PyObject *leaky_sum(PyObject *data)
{
    const Py_ssize_t count = count_items(data);
    return count < 0 ? NULL : sum_of_powers(data, count, 0.0, 1);
}

PyObject *leaky_mean(PyObject *data)
{
    const Py_ssize_t count = count_items(data);
    return count < 0 ? NULL : mean_of(data, count);
}

PyObject *leaky_var(PyObject *data)
{
    const Py_ssize_t count = count_items(data);
    return count < 0 ? NULL : variance_of(data, count);
}

PyObject *leaky_std(PyObject *data)
{
    const Py_ssize_t count = count_items(data);
    return count < 0 ? NULL : deviation_of(data, count);
}
