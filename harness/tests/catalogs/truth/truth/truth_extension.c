/* The two functions behind the C API. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "burn.h"

static PyObject *glue_first(PyObject *Py_UNUSED(module), PyObject *ns)
{
    long long n = PyLong_AsLongLong(ns);
    if (n == -1 && PyErr_Occurred())
        return NULL;
    truth_first(n);
    Py_RETURN_NONE;
}

static PyObject *glue_second(PyObject *Py_UNUSED(module), PyObject *ns)
{
    long long n = PyLong_AsLongLong(ns);
    if (n == -1 && PyErr_Occurred())
        return NULL;
    truth_second(n);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"first", glue_first, METH_O, NULL},
    {"second", glue_second, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "truth_extension", .m_size = 0, .m_methods = functions};

PyMODINIT_FUNC PyInit_truth_extension(void)
{
    return PyModuleDef_Init(&definition);
}
