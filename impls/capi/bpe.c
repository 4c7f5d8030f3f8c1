/* bpe: a str in, the ids of its tokens out, as a list or as memory. A module of its own, because it has what the other workloads have
 * not: a state. Of each interpreter, so neither a static variable nor a lock is needed. */
#include "border.h"

#include <stdlib.h>

typedef struct {
    bb_bpe *vocabulary; /* never changes once it is made: threads share it */
    PyTypeObject *ids_type;
} bpe_state;

/* The kernel's memory as a Python object: it lends the ids to whoever asks (memoryview, NumPy), and frees them when the last one has
 * given them back. Nothing is copied. */
typedef struct {
    PyObject_HEAD
    bb_tokens tokens;
    Py_ssize_t count; /* views point to it, so it has to live as long as they do */
} ids_object;

static int lend_ids(PyObject *self, Py_buffer *view, int flags)
{
    ids_object *ids = (ids_object *)self;
    const Py_ssize_t bytes = ids->count * (Py_ssize_t)sizeof(uint32_t);
    if (PyBuffer_FillInfo(view, self, ids->tokens.data, bytes, 1, flags) < 0) /* plain bytes, read-only; takes a reference */
        return -1;
    view->itemsize = sizeof(uint32_t); /* the stride, too: it points here */
    if (view->format != NULL)
        view->format = "I";
    if (view->shape != NULL)
        view->shape = &ids->count;
    return 0;
}

static void free_ids(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    bb_tokens_free(&((ids_object *)self)->tokens);
    type->tp_free(self);
    Py_DECREF(type); /* a type made at run time is an object: each of its instances holds it */
}

static PyType_Slot ids_slots[] = {
    {Py_bf_getbuffer, (void *)lend_ids},
    {Py_tp_dealloc, (void *)free_ids},
    {0, NULL},
};

static PyType_Spec ids_spec = {
    .name = "bindbench_capi.Ids",
    .basicsize = sizeof(ids_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = ids_slots,
};

/* The text in UTF-8: of a str that is all ASCII its own memory, of any other one a copy that Python makes once and keeps within the
 * str. The caller holds the str, hence the memory, also while the GIL is off. */
static int encode_text(const bpe_state *state, PyObject *text, bb_tokens *tokens)
{
    Py_ssize_t length;
    bb_status status;
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "expected a str, not %.200s", Py_TYPE(text)->tp_name);
        return -1;
    }
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &length); /* UnicodeEncodeError for a lone surrogate */
    if (utf8 == NULL)
        return -1;
    KERNEL(status = bb_bpe_encode(state->vocabulary, (const uint8_t *)utf8, (size_t)length, tokens));
    if (status == BB_OK)
        return 0;
    raise_status(status, "text");
    return -1;
}

static PyObject *bpe_encode(PyObject *module, PyObject *text)
{
    bb_tokens tokens = {0};
    if (encode_text(PyModule_GetState(module), text, &tokens) < 0)
        return NULL;
    PyObject *list = PyList_New((Py_ssize_t)tokens.length);
    for (size_t i = 0; list != NULL && i < tokens.length; i++) {
        PyObject *id = PyLong_FromUnsignedLong(tokens.data[i]);
        if (id == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, id);
    }
    bb_tokens_free(&tokens);
    return list;
}

static PyObject *bpe_encode_buffer(PyObject *module, PyObject *text)
{
    const bpe_state *state = PyModule_GetState(module);
    ids_object *ids = (ids_object *)state->ids_type->tp_alloc(state->ids_type, 0); /* all zero: freeing it is fine from here on */
    if (ids == NULL)
        return NULL;
    if (encode_text(state, text, &ids->tokens) < 0) {
        Py_DECREF(ids);
        return NULL;
    }
    ids->count = (Py_ssize_t)ids->tokens.length;
    return (PyObject *)ids;
}

static PyMethodDef bpe_operations[] = {
    {"encode", bpe_encode, METH_O, "encode(text: str) -> list[int]"},
    {"encode_buffer", bpe_encode_buffer, METH_O, "encode_buffer(text: str) -> a buffer of uint32"},
    {NULL, NULL, 0, NULL},
};

/* A file as bytes. It happens once, so Python does it, with its own errors: OSError names the file. */
static PyObject *read_file(const char *folder, const char *name)
{
    PyObject *decoded = PyUnicode_DecodeFSDefault(folder);
    PyObject *pathlib = decoded == NULL ? NULL : PyImport_ImportModule("pathlib");
    PyObject *path = pathlib == NULL ? NULL : PyObject_CallMethod(pathlib, "Path", "Os", decoded, name);
    PyObject *data = path == NULL ? NULL : PyObject_CallMethod(path, "read_bytes", NULL);
    Py_XDECREF(path);
    Py_XDECREF(pathlib);
    Py_XDECREF(decoded);
    return data;
}

static int load_vocabulary(bpe_state *state)
{
    const char *folder = getenv("BINDBENCH_BPE");
    bb_status status = BB_OK;
    if (folder == NULL) {
        PyErr_SetString(PyExc_ImportError, "BINDBENCH_BPE has to name the folder of the vocabulary");
        return -1;
    }
    PyObject *vocabulary = read_file(folder, "cl100k_base.tokens");
    PyObject *classes = vocabulary == NULL ? NULL : read_file(folder, "unicode.classes");
    if (classes != NULL) {
        status = bb_bpe_new((const uint8_t *)PyBytes_AS_STRING(vocabulary), (size_t)PyBytes_GET_SIZE(vocabulary),
                            (const uint8_t *)PyBytes_AS_STRING(classes), (size_t)PyBytes_GET_SIZE(classes), &state->vocabulary);
        raise_status(status, "vocabulary");
    }
    Py_XDECREF(classes);
    Py_XDECREF(vocabulary);
    return PyErr_Occurred() ? -1 : 0;
}

static int set_up(PyObject *module)
{
    bpe_state *state = PyModule_GetState(module);
    state->ids_type = (PyTypeObject *)PyType_FromSpec(&ids_spec);
    return state->ids_type == NULL ? -1 : load_vocabulary(state);
}

static int bpe_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(((bpe_state *)PyModule_GetState(module))->ids_type);
    return 0;
}

static int bpe_clear(PyObject *module)
{
    Py_CLEAR(((bpe_state *)PyModule_GetState(module))->ids_type);
    return 0;
}

static void bpe_free(void *module)
{
    bpe_clear(module);
    bb_bpe_free(((bpe_state *)PyModule_GetState(module))->vocabulary);
}

static PyModuleDef_Slot slots[] = MODULE_SLOTS(set_up);

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = MODULE_NAME,
    .m_doc = "bpe as a CPython extension.",
    .m_size = sizeof(bpe_state), /* zeroed memory, once for each interpreter that imports the module */
    .m_methods = bpe_operations,
    .m_slots = slots,
    .m_traverse = bpe_traverse,
    .m_clear = bpe_clear,
    .m_free = bpe_free,
};

PyMODINIT_FUNC MODULE_INIT(void)
{
    return PyModuleDef_Init(&definition);
}
