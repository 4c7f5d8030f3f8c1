# bpe: a str in, tokens out, as boxed ints or as memory to look into.
import os

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.unicode cimport PyUnicode_AsUTF8AndSize


cdef class Vocabulary:
    """The kernel's vocabulary. It never changes, so threads share it; what a call works with belongs to the call."""
    cdef bb_bpe *bpe

    def __cinit__(self, folder):
        cdef const uint8_t[::1] tokens = file_bytes(folder, "cl100k_base.tokens"), classes = file_bytes(folder, "unicode.classes")
        cdef bb_status status = bb_bpe_new(&tokens[0], tokens.shape[0], &classes[0], classes.shape[0], &self.bpe)
        if status != BB_OK:
            raise error_of(status, f"vocabulary in {folder}")

    def __dealloc__(self):
        bb_bpe_free(self.bpe)


cdef bytes file_bytes(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        return file.read()


# Read when the module is imported: a call finds it ready. The other operations do without.
cdef Vocabulary vocabulary = Vocabulary(os.environ["BINDBENCH_BPE"]) if "BINDBENCH_BPE" in os.environ else None


cdef class Tokens:
    """The kernel's memory as a buffer of uint32, freed with the last view of it. Nothing is copied."""
    cdef bb_tokens tokens
    cdef Py_ssize_t shape

    def __cinit__(self, text):
        if not isinstance(text, str):
            raise TypeError(f"expected a str, not {type(text).__name__}")
        if vocabulary is None:
            raise RuntimeError("no vocabulary: BINDBENCH_BPE was not set when this module was imported")
        cdef Py_ssize_t length
        cdef const char *utf8 = PyUnicode_AsUTF8AndSize(text, &length)  # UnicodeEncodeError for a lone surrogate
        cdef const bb_bpe *bpe = vocabulary.bpe
        cdef bb_status status
        with nogil(RELEASE):
            status = bb_bpe_encode(bpe, <const uint8_t *>utf8, length, &self.tokens)
        if status != BB_OK:
            raise error_of(status, "text")
        self.shape = self.tokens.length

    def __getbuffer__(self, Py_buffer *view, int flags):
        # Bytes first, which also sees to what was asked for; then what makes them one dimension of uint32.
        PyBuffer_FillInfo(view, self, self.tokens.data, self.shape * sizeof(uint32_t), 1, flags)
        view.itemsize = sizeof(uint32_t)  # the stride too: it points here
        if view.format != NULL:
            view.format = "I"
        if view.shape != NULL:
            view.shape = &self.shape

    def __dealloc__(self):
        bb_tokens_free(&self.tokens)


def encode(text):
    cdef Tokens found = Tokens(text)
    cdef size_t i
    return [found.tokens.data[i] for i in range(found.tokens.length)]


def encode_buffer(text):
    return memoryview(Tokens(text))
