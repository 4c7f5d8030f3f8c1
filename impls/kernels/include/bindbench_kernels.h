/* The kernels every controlled lane calls: one shared library, built from impls/kernels.
 *
 * Every function takes plain memory and plain numbers and knows nothing of Python. Those that can fail return a bb_status and
 * leave their result untouched when it is not BB_OK. All are safe to call without the GIL and from several threads at once.
 */
#ifndef BINDBENCH_KERNELS_H
#define BINDBENCH_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t bb_status;
#define BB_OK 0
#define BB_EMPTY 1    /* an empty input or pattern: ValueError */
#define BB_MEMORY 2   /* allocation failed: MemoryError */
#define BB_CALLBACK 3 /* the callback asked to stop: it left its own error behind */
#define BB_FAILED 4   /* bb_fail: RuntimeError */
#define BB_INVALID 5  /* no UTF-8, or no vocabulary: ValueError */
#define BB_OVERFLOW 6 /* the result does not fit 64 bits: OverflowError */

/* call: what crossing costs ------------------------------------------------------------------------------------------ */
void bb_noop(void);
int64_t bb_add(int64_t a, int64_t b);                            /* wraps around: ((a ^ sum) & (b ^ sum)) < 0 tells the caller */
size_t bb_length(const uint8_t *data, size_t length);            /* returns length */
bb_status bb_take(const int64_t *items, size_t length, int64_t *sum); /* exact, also if a sum on the way does not fit; or BB_OVERFLOW */
void bb_give(int64_t *items, size_t length);                     /* fills in 0, 1, … length − 1 */
typedef bb_status (*bb_callback)(void *context, int64_t i, int64_t *result);
/* Calls f(context, i, &r) for i in 0 … n − 1 and puts the sum of the r into *sum, exact as above; stops at the first status that
 * is not BB_OK and returns BB_CALLBACK. */
bb_status bb_call_back(bb_callback f, void *context, int64_t n, int64_t *sum);
bb_status bb_fail(void);                                         /* always BB_FAILED */

/* kmp ---------------------------------------------------------------------------------------------------------------- */
typedef struct {
    uint64_t *data;  /* ascending offsets */
    size_t length;
    size_t capacity;
} bb_offsets;

/* Knuth-Morris-Pratt: every offset s in start <= s < end at which the pattern stands in the text, overlapping ones too. Reads up
 * to pattern_length − 1 bytes past end (never past text_length), so that neighbouring ranges miss nothing and count nothing
 * twice. end is cut to text_length. *found is set, not appended to; free it with bb_offsets_free. BB_EMPTY: empty pattern. */
bb_status bb_kmp_find(const uint8_t *text, size_t text_length, const uint8_t *pattern, size_t pattern_length,
                      size_t start, size_t end, bb_offsets *found);
void bb_offsets_free(bb_offsets *found); /* and sets it to zero; {0} is fine */

/* std: population moments of float64, two-pass, in the order of the data; BB_EMPTY for length 0. Data that are not aligned are
 * copied first, which may end with BB_MEMORY. (Kernels that are compiled into an extension get aligned data.) --------------- */
bb_status bb_sum(const double *data, size_t length, double *result);
bb_status bb_mean(const double *data, size_t length, double *result);
bb_status bb_var(const double *data, size_t length, double *result);
bb_status bb_std(const double *data, size_t length, double *result);

/* bpe: byte pair encoding with the vocabulary cl100k_base ------------------------------------------------------------- */
typedef struct bb_bpe bb_bpe; /* a vocabulary, ready for use; it never changes, so threads share it */
typedef struct {
    uint32_t *data;  /* ids of tokens */
    size_t length;
    size_t capacity;
} bb_tokens;

/* vocabulary: every token in the order of its id (which is its rank too), each as one byte with its length and then its bytes.
 * classes: one byte for each of the 0x110000 code points: 0 other, 1 letter, 2 number, 3 white space. Both are copied.
 * BB_INVALID: one of them is not like that, or a single byte has no token. Free with bb_bpe_free. */
bb_status bb_bpe_new(const uint8_t *vocabulary, size_t vocabulary_length, const uint8_t *classes, size_t classes_length,
                     bb_bpe **bpe);
void bb_bpe_free(bb_bpe *bpe); /* NULL is fine */

/* The tokens of a text in UTF-8. *tokens is set, not appended to; free it with bb_tokens_free. BB_INVALID: no UTF-8. */
bb_status bb_bpe_encode(const bb_bpe *bpe, const uint8_t *text, size_t text_length, bb_tokens *tokens);
void bb_tokens_free(bb_tokens *tokens); /* and sets it to zero; {0} is fine */

/* The first place at or after near at which a text in UTF-8 can be cut, so that the tokens of the parts are those of the whole:
 * 0, text_length, or between a letter or number and a character of another class. near may lie within a character. */
size_t bb_bpe_cut(const bb_bpe *bpe, const uint8_t *text, size_t text_length, size_t near);

#ifdef __cplusplus
}
#endif
#endif
