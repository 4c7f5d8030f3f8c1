/* The module. MODULE is its name, given by the compiler's -D: one source, three lanes. */
#include "border.h"

#define PASTE(a, b) a##b
#define INIT_NAME(module) PASTE(PyInit_, module)
#define QUOTE(a) #a
#define STRING(module) QUOTE(module)

static int add_operations(PyObject *module)
{
    PyMethodDef *workloads[] = {call_operations, kmp_operations, std_operations};
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        if (PyModule_AddFunctions(module, workloads[i]) < 0)
            return -1;
    return 0;
}

/* Multi-phase initialisation (PEP 489): the init function only describes the module, Python makes it, once per interpreter. There
 * is no state outside Python's objects, so the two promises below are kept: several interpreters, each with a GIL of its own, and
 * builds without a GIL. An extension that does not make the second one switches the GIL back on for the whole process. */
static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)add_operations},
#ifdef Py_mod_multiple_interpreters /* 3.12 */
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil /* 3.13 */
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = STRING(MODULE),
    .m_doc = "call, kmp and std as a CPython extension.",
    .m_slots = slots,
};

PyMODINIT_FUNC INIT_NAME(MODULE)(void)
{
    return PyModuleDef_Init(&definition);
}
