/* std: float64 in, one float out. A list is unboxed into an array first; a buffer is read where it lies. */
#include "border.h"

typedef bb_status (*moment)(const double *data, size_t length, double *result);

/* PyFloat_AsDouble would do all of this, but takes an int by way of a new float object. Asking for the type first does not, and
 * runs no Python code. What is neither an int nor a float may run some (__float__, __index__): it is held meanwhile. */
static inline int float64_at(PyObject *list, Py_ssize_t i, Py_ssize_t count, double *value)
{
    PyObject *item = PyList_GET_ITEM(list, i);
    if (PyFloat_CheckExact(item)) {
        *value = PyFloat_AS_DOUBLE(item);
        return 0;
    }
    if (PyLong_Check(item)) {
        *value = PyLong_AsDouble(item); /* OverflowError beyond the range of a double */
        return *value == -1.0 && PyErr_Occurred() ? -1 : 0;
    }
    Py_INCREF(item);
    *value = PyFloat_AsDouble(item);
    const int outcome = *value == -1.0 && PyErr_Occurred() ? -1 : 0;
    Py_DECREF(item);
    return outcome < 0 ? -1 : check_length(list, count);
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
        while (unboxed < count && float64_at(list, unboxed, count, &items[unboxed]) == 0)
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

/* The formats of float64 that is in this machine's byte order; ctypes says which that is, NumPy also that it is not aligned. */
static int is_float64(const char *format)
{
    if (*format == '@' || *format == '=' || *format == (PY_BIG_ENDIAN ? '>' : '<'))
        format++;
    return strcmp(format, "d") == 0;
}

/* Asks for everything (strides, format, read-only allowed) and then judges, because the exporter's own refusals differ. */
static int float64_view(PyObject *data, Py_buffer *view)
{
    if (PyObject_GetBuffer(data, view, PyBUF_FULL_RO) < 0)
        return -1;
    if (view->ndim != 1 || view->format == NULL || !is_float64(view->format))
        PyErr_SetString(PyExc_TypeError, "expected a list or a one-dimensional buffer of format 'd'");
    else if (!PyBuffer_IsContiguous(view, 'C'))
        PyErr_SetString(PyExc_BufferError, "the buffer is not contiguous");
    else
        return 0;
    PyBuffer_Release(view);
    return -1;
}

static PyObject *of_buffer(moment kernel, PyObject *data)
{
    Py_buffer view;
    double *aligned = NULL, result;
    bb_status status;
    if (float64_view(data, &view) < 0)
        return NULL;
    if (view.len > 0 && (uintptr_t)view.buf % _Alignof(double) != 0) { /* memoryview(data)[1:]: no double may be read there */
        aligned = PyMem_Malloc((size_t)view.len);
        if (aligned == NULL) {
            PyBuffer_Release(&view);
            return PyErr_NoMemory();
        }
        memcpy(aligned, view.buf, (size_t)view.len);
    }
    KERNEL(status = kernel(aligned == NULL ? view.buf : aligned, (size_t)view.len / sizeof(double), &result));
    PyMem_Free(aligned);
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
