# The kernels of the shared library, as its header declares them.
cdef extern from "bindbench_kernels.h" nogil:
    ctypedef struct bb_bpe:
        pass  # what is in it is the library's business
    void bb_noop()
    int64_t bb_add(int64_t a, int64_t b)
    size_t bb_length(const uint8_t *data, size_t length)
    bb_status bb_take(const int64_t *items, size_t length, int64_t *sum)
    void bb_give(int64_t *items, size_t length)
    bb_status bb_fail()
    bb_status bb_kmp_find(const uint8_t *text, size_t text_length, const uint8_t *pattern, size_t pattern_length,
                          size_t start, size_t end, bb_offsets *found)
    void bb_offsets_free(bb_offsets *found)
    bb_status bb_sum(const double *data, size_t length, double *result)
    bb_status bb_mean(const double *data, size_t length, double *result)
    bb_status bb_var(const double *data, size_t length, double *result)
    bb_status bb_std(const double *data, size_t length, double *result)
    bb_status bb_bpe_new(const uint8_t *vocabulary, size_t vocabulary_length, const uint8_t *classes, size_t classes_length,
                         bb_bpe **bpe)
    void bb_bpe_free(bb_bpe *bpe)
    bb_status bb_bpe_encode(const bb_bpe *bpe, const uint8_t *text, size_t text_length, bb_tokens *tokens)
    void bb_tokens_free(bb_tokens *tokens)

cdef extern from "bindbench_kernels.h":
    bb_status bb_call_back(bb_callback f, void *context, int64_t n, int64_t *sum) except BB_CALLBACK
