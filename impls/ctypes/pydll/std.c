/* Population moments of the objects themselves: each item is converted where it lies, once a pass, and nothing is copied. */
#include "border.h"

#include <math.h>
#include <string.h>

typedef struct {
    PyObject *list;  /* borrowed from the caller; NULL for a buffer */
    Py_buffer view;
    Py_ssize_t count;
} numbers;

static void close_numbers(numbers *data)
{
    if (data->list == NULL)
        PyBuffer_Release(&data->view);
}

/* The formats of float64 in this machine's byte order. */
static int is_float64(const char *format)
{
    if (*format == '@' || *format == '=' || *format == (PY_BIG_ENDIAN ? '>' : '<'))
        format++;
    return strcmp(format, "d") == 0;
}

static int open_numbers(numbers *data, PyObject *object)
{
    if (PyList_Check(object)) {
        data->list = object;
        data->count = PyList_GET_SIZE(object);
    } else {
        data->list = NULL;
        if (PyObject_GetBuffer(object, &data->view, PyBUF_FULL_RO) < 0)
            return -1;
        if (data->view.ndim != 1 || data->view.format == NULL || !is_float64(data->view.format)) {
            PyErr_SetString(PyExc_TypeError, "a list or a one-dimensional buffer of float64 is needed");
            close_numbers(data);
            return -1;
        }
        if (!PyBuffer_IsContiguous(&data->view, 'C')) {
            PyErr_SetString(PyExc_BufferError, "the buffer must be contiguous");
            close_numbers(data);
            return -1;
        }
        data->count = data->view.shape[0];
    }
    if (data->count == 0) {
        PyErr_SetString(PyExc_ValueError, "no data");
        close_numbers(data);
        return -1;
    }
    return 0;
}

static inline int number_at(const numbers *data, Py_ssize_t i, double *x)
{
    if (data->list == NULL) {
        memcpy(x, (const char *)data->view.buf + i * (Py_ssize_t)sizeof *x, sizeof *x); /* a load, wherever it lies */
        return 0;
    }
    PyObject *item = list_item(data->list, i);
    if (item == NULL)
        return -1;
    *x = PyFloat_AsDouble(item);
    Py_DECREF(item);
    return *x == -1.0 && PyErr_Occurred() ? -1 : 0; /* -1.0 is also a number */
}

static int sum_of(const numbers *data, double *sum)
{
    double total = 0.0, x;
    for (Py_ssize_t i = 0; i < data->count; i++) {
        if (number_at(data, i, &x) < 0)
            return -1;
        total += x;
    }
    *sum = total;
    return 0;
}

static int mean_of(const numbers *data, double *mean)
{
    if (sum_of(data, mean) < 0)
        return -1;
    *mean /= (double)data->count;
    return 0;
}

static int variance_of(const numbers *data, double *variance)
{
    double mean, total = 0.0, x;
    if (mean_of(data, &mean) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < data->count; i++) {
        if (number_at(data, i, &x) < 0)
            return -1;
        total += (x - mean) * (x - mean);
    }
    *variance = total / (double)data->count;
    return 0;
}

static int deviation_of(const numbers *data, double *deviation)
{
    if (variance_of(data, deviation) < 0)
        return -1;
    *deviation = sqrt(*deviation);
    return 0;
}

/* Between the moments go doubles: a PyObject for each step would have to be released at each step. */
static PyObject *moment(PyObject *object, int (*compute)(const numbers *, double *))
{
    numbers data;
    double result;
    if (open_numbers(&data, object) < 0)
        return NULL;
    int status = compute(&data, &result);
    close_numbers(&data);
    return status < 0 ? NULL : PyFloat_FromDouble(result);
}

PyObject *pydll_sum(PyObject *data)
{
    return moment(data, sum_of);
}

PyObject *pydll_mean(PyObject *data)
{
    return moment(data, mean_of);
}

PyObject *pydll_var(PyObject *data)
{
    return moment(data, variance_of);
}

PyObject *pydll_std(PyObject *data)
{
    return moment(data, deviation_of);
}
