/* call.noop with a loop in it that no compiler may take away. WORK is what every build has to do, EXTRA what a slower one does besides. */
#include <Python.h>

#define JOINED(a, b) a##b
#define JOIN(a, b) JOINED(a, b)
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

/* Read from memory in every call: so a slower build differs in this number, and in not one instruction. */
static volatile long extra = EXTRA;

static PyObject *noop(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    for (long left = WORK + extra; left > 0; left--)
        __asm__ volatile("");
    Py_RETURN_NONE;
}

/* For finding out how much is how much: sets EXTRA. */
static PyObject *set_extra(PyObject *module, PyObject *number)
{
    (void)module;
    long wanted = PyLong_AsLong(number);
    if (wanted == -1 && PyErr_Occurred())
        return NULL;
    extra = wanted;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"noop", noop, METH_NOARGS, "Takes its time, and returns None."},
    {"set_extra", set_extra, METH_O, "Sets the further work of each call."},
    {0},
};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = TEXT(MODULE), .m_methods = methods};

PyMODINIT_FUNC JOIN(PyInit_, MODULE)(void)
{
    return PyModuleDef_Init(&definition);
}
