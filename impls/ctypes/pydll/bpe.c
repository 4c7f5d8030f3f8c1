/* Byte pair encoding with the C kernel: a str in, the ids of its tokens out. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "bindbench_kernels.h"

#define CAPSULE "bindbench.bpe"

static void free_vocabulary(PyObject *capsule)
{
    bb_bpe_free(PyCapsule_GetPointer(capsule, CAPSULE));
}

static PyObject *raise_status(bb_status status)
{
    if (status == BB_MEMORY)
        return PyErr_NoMemory();
    PyErr_SetString(PyExc_ValueError, "no UTF-8, or no vocabulary");
    return NULL;
}

PyObject *pydll_bpe_new(PyObject *tokens, PyObject *classes)
{
    char *tokens_data, *classes_data;
    Py_ssize_t tokens_length, classes_length;
    if (PyBytes_AsStringAndSize(tokens, &tokens_data, &tokens_length) < 0 ||
        PyBytes_AsStringAndSize(classes, &classes_data, &classes_length) < 0)
        return NULL;
    bb_bpe *vocabulary;
    const bb_status status = bb_bpe_new((const uint8_t *)tokens_data, (size_t)tokens_length, (const uint8_t *)classes_data,
                                        (size_t)classes_length, &vocabulary);
    if (status != BB_OK)
        return raise_status(status);
    PyObject *capsule = PyCapsule_New(vocabulary, CAPSULE, free_vocabulary);
    if (capsule == NULL)
        bb_bpe_free(vocabulary);
    return capsule;
}

static int encode_text(PyObject *capsule, PyObject *text, bb_tokens *tokens)
{
    Py_ssize_t length;
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "a str is needed, not %.100s", Py_TYPE(text)->tp_name);
        return -1;
    }
    const bb_bpe *vocabulary = PyCapsule_GetPointer(capsule, CAPSULE); /* an error if the capsule is another one */
    const char *utf8 = vocabulary == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &length); /* the text's own, not ours to free */
    if (utf8 == NULL)
        return -1;
    const bb_status status = bb_bpe_encode(vocabulary, (const uint8_t *)utf8, (size_t)length, tokens);
    if (status == BB_OK)
        return 0;
    raise_status(status);
    return -1;
}

PyObject *pydll_encode(PyObject *capsule, PyObject *text)
{
    bb_tokens tokens;
    if (encode_text(capsule, text, &tokens) < 0)
        return NULL;
    PyObject *list = PyList_New((Py_ssize_t)tokens.length);
    for (size_t i = 0; list != NULL && i < tokens.length; i++) {
        PyObject *number = PyLong_FromUnsignedLong(tokens.data[i]);
        if (number == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, number); /* the list takes our reference over */
    }
    bb_tokens_free(&tokens);
    return list;
}

/* Without a module there is no place for a type that lends its memory: the ids are copied once, into a bytes object seen as uint32. */
PyObject *pydll_encode_buffer(PyObject *capsule, PyObject *text)
{
    bb_tokens tokens;
    if (encode_text(capsule, text, &tokens) < 0)
        return NULL;
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)tokens.data, (Py_ssize_t)(tokens.length * sizeof *tokens.data));
    bb_tokens_free(&tokens);
    PyObject *view = bytes == NULL ? NULL : PyMemoryView_FromObject(bytes);
    PyObject *ids = view == NULL ? NULL : PyObject_CallMethod(view, "cast", "s", "I");
    Py_XDECREF(view);
    Py_XDECREF(bytes); /* the view holds it */
    return ids;
}
