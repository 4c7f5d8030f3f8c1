/* call: what crossing costs. */
#include "border.h"

static PyObject *call_noop(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    KERNEL(bb_noop());
    Py_RETURN_NONE;
}

static PyObject *call_add(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    int64_t a, b, sum;
    if (check_count("add", 2, count) < 0 || int64_of(arguments[0], &a) < 0 || int64_of(arguments[1], &b) < 0)
        return NULL;
    KERNEL(sum = bb_add(a, b));
    if (((a ^ sum) & (b ^ sum)) < 0) { /* both terms have a sign the sum has not: it wrapped around */
        PyErr_SetString(PyExc_OverflowError, "the sum does not fit 64 bits");
        return NULL;
    }
    return PyLong_FromLongLong(sum);
}

/* A view, not a copy: while it is open the object can neither move nor resize its memory, so it is closed on every path. */
static PyObject *call_length(PyObject *Py_UNUSED(module), PyObject *data)
{
    Py_buffer view;
    size_t length;
    if (bytes_view(data, &view) < 0)
        return NULL;
    KERNEL(length = bb_length(view.buf, (size_t)view.len));
    PyBuffer_Release(&view);
    return PyLong_FromSize_t(length);
}

/* An int itself runs no Python code. Another object is held while it does: it may be the list that is emptied of it. */
static inline int int64_at(PyObject *list, Py_ssize_t i, Py_ssize_t count, int64_t *value)
{
    PyObject *item = PyList_GET_ITEM(list, i);
    if (PyLong_Check(item))
        return int64_of_long(item, value);
    Py_INCREF(item);
    const int outcome = int64_of(item, value);
    Py_DECREF(item);
    return outcome < 0 ? -1 : check_length(list, count);
}

/* Boxed ints in: every item is a heap object, opened one by one into an array that the kernel can read without Python. */
static PyObject *call_take_list(PyObject *Py_UNUSED(module), PyObject *list)
{
    if (!PyList_Check(list)) {
        PyErr_Format(PyExc_TypeError, "expected a list, not %.200s", Py_TYPE(list)->tp_name);
        return NULL;
    }
    int64_t *items, sum;
    Py_ssize_t count, unboxed = 0;
    bb_status status;
    Py_BEGIN_CRITICAL_SECTION(list);
    count = PyList_GET_SIZE(list);
    items = PyMem_New(int64_t, count);
    if (items == NULL)
        PyErr_NoMemory();
    else
        while (unboxed < count && int64_at(list, unboxed, count, &items[unboxed]) == 0)
            unboxed++;
    Py_END_CRITICAL_SECTION();
    if (items == NULL || unboxed < count) {
        PyMem_Free(items);
        return NULL;
    }
    KERNEL(status = bb_take(items, (size_t)count, &sum));
    PyMem_Free(items);
    return status == BB_OK ? PyLong_FromLongLong(sum) : raise_status(status, "the list");
}

static PyObject *call_give_list(PyObject *Py_UNUSED(module), PyObject *length)
{
    int64_t n;
    if (count_of(length, &n) < 0)
        return NULL;
    if (n < 0) {
        PyErr_SetString(PyExc_ValueError, "n must not be negative");
        return NULL;
    }
    int64_t *items = PyMem_New(int64_t, n); /* NULL too when the size in bytes does not fit */
    if (items == NULL)
        return PyErr_NoMemory();
    KERNEL(bb_give(items, (size_t)n));
    PyObject *list = list_of(items, (size_t)n);
    PyMem_Free(items);
    return list;
}

/* Native → Python → native. The exception stays set in the thread's state while the kernel unwinds by status. */
static bb_status call_python(void *context, int64_t i, int64_t *result)
{
    PyObject *argument = PyLong_FromLongLong(i);
    if (argument == NULL)
        return BB_CALLBACK;
    PyObject *answer = PyObject_CallOneArg(context, argument);
    Py_DECREF(argument);
    if (answer == NULL)
        return BB_CALLBACK;
    const int outcome = int64_of(answer, result);
    Py_DECREF(answer);
    return outcome < 0 ? BB_CALLBACK : BB_OK;
}

/* The GIL stays held in every lane: all of this loop's work is Python, and taking the GIL for each call would only add to it. */
static PyObject *call_call_back(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    int64_t n, sum;
    if (check_count("call_back", 2, count) < 0)
        return NULL;
    if (!PyCallable_Check(arguments[0])) {
        PyErr_Format(PyExc_TypeError, "expected a function, not %.200s", Py_TYPE(arguments[0])->tp_name);
        return NULL;
    }
    if (count_of(arguments[1], &n) < 0)
        return NULL;
    const bb_status status = bb_call_back(call_python, arguments[0], n, &sum);
    return status == BB_OK ? PyLong_FromLongLong(sum) : raise_status(status, "the callback");
}

static PyObject *call_fail(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    bb_status status;
    KERNEL(status = bb_fail());
    return raise_status(status, "the kernel");
}

/* The detour by void (*)(void) tells the compiler that the change of signature is meant: METH_FASTCALL says what it really is. */
PyMethodDef call_operations[] = {
    {"noop", call_noop, METH_NOARGS, "noop() -> None"},
    {"add", (PyCFunction)(void (*)(void))call_add, METH_FASTCALL, "add(a: int, b: int) -> int"},
    {"length", call_length, METH_O, "length(data: bytes-like) -> int"},
    {"take_list", call_take_list, METH_O, "take_list(xs: list[int]) -> int"},
    {"give_list", call_give_list, METH_O, "give_list(n: int) -> list[int]"},
    {"call_back", (PyCFunction)(void (*)(void))call_call_back, METH_FASTCALL, "call_back(f, n: int) -> int"},
    {"fail", call_fail, METH_NOARGS, "fail() raises RuntimeError"},
    {NULL, NULL, 0, NULL},
};
