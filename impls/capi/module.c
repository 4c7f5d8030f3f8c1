/* The module of call, kmp and std. bpe.c is one of its own. */
#include "border.h"

static int add_operations(PyObject *module)
{
    PyMethodDef *workloads[] = {call_operations, kmp_operations, std_operations};
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        if (PyModule_AddFunctions(module, workloads[i]) < 0)
            return -1;
    return 0;
}

static PyModuleDef_Slot slots[] = MODULE_SLOTS(add_operations);

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = MODULE_NAME,
    .m_doc = "call, kmp and std as a CPython extension.",
    .m_slots = slots,
};

PyMODINIT_FUNC MODULE_INIT(void)
{
    return PyModuleDef_Init(&definition);
}
