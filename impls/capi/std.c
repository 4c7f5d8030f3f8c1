/* std: float64 in, one float out. A list is unboxed into an array first; a buffer is read where it lies. */
#include "border.h"

typedef bb_status (*moment)(const double *data, size_t length, double *result);

/* PyFloat_AsDouble would do all of this, but takes an int by way of a new float object. Asking for the type first does not, and
 * runs no Python code, so the list cannot change under the loop. */
static inline int float64_of(PyObject *object, double *value)
{
    if (PyFloat_CheckExact(object)) {
        *value = PyFloat_AS_DOUBLE(object);
        return 0;
    }
    if (PyLong_Check(object)) {
        *value = PyLong_AsDouble(object); /* OverflowError beyond the range of a double */
        return *value == -1.0 && PyErr_Occurred() ? -1 : 0;
    }
    if (PyFloat_Check(object)) { /* a subclass: rare, so asked for last */
        *value = PyFloat_AS_DOUBLE(object);
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "expected an int or a float, not %.200s", Py_TYPE(object)->tp_name);
    return -1;
}

static PyObject *of_list(moment kernel, PyObject *list)
{
    double *items, result;
    Py_ssize_t count, unboxed = 0;
    bb_status status;
    Py_BEGIN_CRITICAL_SECTION(list);
    count = PyList_GET_SIZE(list);
    items = PyMem_New(double, count);
    if (items == NULL)
        PyErr_NoMemory();
    else
        while (unboxed < count && float64_of(PyList_GET_ITEM(list, unboxed), &items[unboxed]) == 0)
            unboxed++;
    Py_END_CRITICAL_SECTION();
    if (items == NULL || unboxed < count) {
        PyMem_Free(items);
        return NULL;
    }
    KERNEL(status = kernel(items, (size_t)count, &result));
    PyMem_Free(items);
    return status == BB_OK ? PyFloat_FromDouble(result) : raise_status(status, "data");
}

/* Asks for everything (strides, format, read-only allowed) and then judges, because the exporter's own refusals differ. */
static int float64_view(PyObject *data, Py_buffer *view)
{
    if (PyObject_GetBuffer(data, view, PyBUF_FULL_RO) < 0)
        return -1;
    if (view->ndim != 1 || view->format == NULL || strcmp(view->format, "d") != 0)
        PyErr_SetString(PyExc_TypeError, "expected a list or a one-dimensional buffer of format 'd'");
    else if (!PyBuffer_IsContiguous(view, 'C') || (view->len > 0 && (uintptr_t)view->buf % _Alignof(double) != 0))
        PyErr_SetString(PyExc_BufferError, "the buffer is not contiguous and aligned");
    else
        return 0;
    PyBuffer_Release(view);
    return -1;
}

static PyObject *of_buffer(moment kernel, PyObject *data)
{
    Py_buffer view;
    double result;
    bb_status status;
    if (float64_view(data, &view) < 0)
        return NULL;
    KERNEL(status = kernel(view.buf, (size_t)view.len / sizeof(double), &result));
    PyBuffer_Release(&view);
    return status == BB_OK ? PyFloat_FromDouble(result) : raise_status(status, "data");
}

static PyObject *moment_of(moment kernel, PyObject *data)
{
    return PyList_Check(data) ? of_list(kernel, data) : of_buffer(kernel, data);
}

static PyObject *std_sum(PyObject *Py_UNUSED(module), PyObject *data)
{
    return moment_of(bb_sum, data);
}

static PyObject *std_mean(PyObject *Py_UNUSED(module), PyObject *data)
{
    return moment_of(bb_mean, data);
}

static PyObject *std_var(PyObject *Py_UNUSED(module), PyObject *data)
{
    return moment_of(bb_var, data);
}

static PyObject *std_std(PyObject *Py_UNUSED(module), PyObject *data)
{
    return moment_of(bb_std, data);
}

PyMethodDef std_operations[] = {
    {"sum", std_sum, METH_O, "sum(data: list | buffer of float64) -> float"},
    {"mean", std_mean, METH_O, "mean(data: list | buffer of float64) -> float"},
    {"var", std_var, METH_O, "var(data: list | buffer of float64) -> float, of the population"},
    {"std", std_std, METH_O, "std(data: list | buffer of float64) -> float, of the population"},
    {NULL, NULL, 0, NULL},
};
