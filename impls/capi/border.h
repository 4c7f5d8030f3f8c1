/* What every binding here needs at the border: the module's description, the GIL, ints in, ints out, and a status turned into an
 * exception. */
#ifndef BINDBENCH_CAPI_BORDER_H
#define BINDBENCH_CAPI_BORDER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "bindbench_kernels.h"

/* MODULE is the module's name, given by the compiler's -D: one source, three lanes. */
#define PASTE(a, b) a##b
#define INIT_OF(module) PASTE(PyInit_, module)
#define QUOTE(a) #a
#define STRING(module) QUOTE(module)
#define MODULE_INIT INIT_OF(MODULE)
#define MODULE_NAME STRING(MODULE)

/* Multi-phase initialisation (PEP 489): the init function only describes the module, Python makes it, once per interpreter, and has
 * it filled by what is given here. There is no state outside Python's objects, so two promises can be made: several interpreters,
 * each with a GIL of its own, and builds without a GIL. An extension that does not make the second one switches the GIL back on for
 * the whole process. */
#ifdef Py_mod_multiple_interpreters /* 3.12 */
#define INTERPRETERS_SLOT {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#else
#define INTERPRETERS_SLOT
#endif
#ifdef Py_mod_gil /* 3.13 */
#define GIL_SLOT {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#else
#define GIL_SLOT
#endif
#define MODULE_SLOTS(fill) {{Py_mod_exec, (void *)fill}, INTERPRETERS_SLOT GIL_SLOT {0, NULL}}

/* KERNEL(statement) runs code that touches no Python object. This is the whole difference between the lanes c and c-nogil: the
 * second lets other Python threads run meanwhile, and pays for giving the GIL back and queueing for it again. */
#ifdef RELEASE_GIL
#define KERNEL(...)              \
    do {                         \
        Py_BEGIN_ALLOW_THREADS   \
        __VA_ARGS__;             \
        Py_END_ALLOW_THREADS     \
    } while (0)
#else
#define KERNEL(...)  \
    do {             \
        __VA_ARGS__; \
    } while (0)
#endif

/* Where there is no GIL, a list is locked by hand while its items are read. With a GIL nothing else runs, and this is a brace. */
#ifndef Py_BEGIN_CRITICAL_SECTION
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION() }
#endif

extern PyMethodDef call_operations[], kmp_operations[], std_operations[];

/* METH_FASTCALL hands over a bare array: nobody has counted the arguments yet. */
static inline int check_count(const char *operation, Py_ssize_t expected, Py_ssize_t given)
{
    if (given == expected)
        return 0;
    PyErr_Format(PyExc_TypeError, "%s() takes exactly %zd arguments (%zd given)", operation, expected, given);
    return -1;
}

/* An int in. −1 is a value as well as the sign of an error, so only PyErr_Occurred tells. */
static inline int int64_of_long(PyObject *number, int64_t *value)
{
    *value = PyLong_AsLongLong(number); /* OverflowError beyond 64 bits */
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

/* What has __index__ gives an int. PyLong_AsLongLong alone would ask for it too, but before 3.10 take __int__ as well. */
static inline int int64_of(PyObject *object, int64_t *value)
{
    if (PyLong_Check(object))
        return int64_of_long(object, value);
    PyObject *number = PyNumber_Index(object); /* TypeError for what is no int */
    if (number == NULL)
        return -1;
    const int outcome = int64_of_long(number, value);
    Py_DECREF(number);
    return outcome;
}

/* A number of items or of calls. One below 64 bits is as negative as any other. */
static inline int count_of(PyObject *object, int64_t *count)
{
    int overflow;
    PyObject *number = PyNumber_Index(object);
    if (number == NULL)
        return -1;
    *count = PyLong_AsLongLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    if (overflow > 0) {
        PyErr_SetString(PyExc_OverflowError, "the number does not fit 64 bits");
        return -1;
    }
    if (overflow < 0)
        *count = INT64_MIN;
    return 0;
}

/* The list's length is taken once, and its items are read from its own storage, whatever a subclass says of either. Python code that
 * runs meanwhile, an item's __index__ or __float__, may change the list: then there is no answer. */
static inline int check_length(PyObject *list, Py_ssize_t count)
{
    if (PyList_GET_SIZE(list) == count)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "the list changed its length while it was read");
    return -1;
}

/* Bytes in: any memory that lies in one piece, whatever its format and dimensions. NumPy says ValueError of one that does not; so
 * the exporter is asked again, for everything. */
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
    PyErr_SetString(PyExc_BufferError, "the buffer is not contiguous");
    return -1;
}

/* Ints out: one object made for each item. PyList_SET_ITEM takes over the only reference, so nothing has to be given back. */
static inline PyObject *list_of(const int64_t *items, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    if (list == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        PyObject *item = PyLong_FromLongLong(items[i]);
        if (item == NULL) {
            Py_DECREF(list); /* frees the items made so far; the rest are NULL, which a list allows while it is being filled */
            return NULL;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    return list;
}

/* Sets the exception that belongs to a status other than BB_OK. Returns NULL, so that `return raise_status(…)` ends a function. */
static inline PyObject *raise_status(bb_status status, const char *what)
{
    if (status == BB_EMPTY)
        PyErr_Format(PyExc_ValueError, "empty %s", what);
    else if (status == BB_MEMORY)
        PyErr_NoMemory();
    else if (status == BB_INVALID)
        PyErr_Format(PyExc_ValueError, "invalid %s", what);
    else if (status == BB_OVERFLOW)
        PyErr_SetString(PyExc_OverflowError, "the sum does not fit 64 bits");
    else if (status == BB_FAILED)
        PyErr_Format(PyExc_RuntimeError, "%s failed", what);
    return NULL; /* BB_CALLBACK: the callback has set its own exception */
}

#endif
