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

/* call: what crossing costs ------------------------------------------------------------------------------------------ */
void bb_noop(void);
int64_t bb_add(int64_t a, int64_t b);                            /* wraps around */
size_t bb_length(const uint8_t *data, size_t length);            /* returns length */
int64_t bb_take(const int64_t *items, size_t length);            /* their sum, wrapping around */
void bb_give(int64_t *items, size_t length);                     /* fills in 0, 1, … length − 1 */
typedef bb_status (*bb_callback)(void *context, int64_t i, int64_t *result);
/* Calls f(context, i, &r) for i in 0 … n − 1 and puts the sum of the r into *sum; stops at the first status that is not BB_OK
 * and returns BB_CALLBACK. */
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

/* std: population moments of float64, two-pass, in the order of the data; BB_EMPTY for length 0 ----------------------- */
bb_status bb_sum(const double *data, size_t length, double *result);
bb_status bb_mean(const double *data, size_t length, double *result);
bb_status bb_var(const double *data, size_t length, double *result);
bb_status bb_std(const double *data, size_t length, double *result);

#ifdef __cplusplus
}
#endif
#endif
