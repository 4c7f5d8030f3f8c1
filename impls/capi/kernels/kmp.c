/* Knuth, Morris and Pratt's search: every byte of the text is read once, whatever the pattern. */
#include <stdlib.h>

#include "bindbench_kernels.h"

/* Entry k: length of the longest proper prefix of pattern[0 .. k] that is also its suffix; what stays matched when the next byte
 * differs. NULL when there is no memory. */
static size_t *borders_of(const uint8_t *pattern, size_t length)
{
    if (length >= SIZE_MAX / sizeof(size_t))
        return NULL;
    size_t *borders = malloc((length + 1) * sizeof *borders);
    if (borders == NULL)
        return NULL;
    borders[0] = borders[1] = 0;
    size_t border = 0;
    for (size_t i = 1; i < length; i++) {
        while (border > 0 && pattern[i] != pattern[border])
            border = borders[border];
        if (pattern[i] == pattern[border])
            border++;
        borders[i + 1] = border;
    }
    return borders;
}

static bb_status append(bb_offsets *offsets, uint64_t offset)
{
    if (offsets->length == offsets->capacity) {
        size_t capacity = offsets->capacity == 0 ? 64 : 2 * offsets->capacity;
        uint64_t *data = realloc(offsets->data, capacity * sizeof *data);
        if (data == NULL)
            return BB_MEMORY; /* what was found so far is still there: the caller frees it */
        offsets->data = data;
        offsets->capacity = capacity;
    }
    offsets->data[offsets->length++] = offset;
    return BB_OK;
}

static bb_status scan(const uint8_t *text, size_t start, size_t limit, const uint8_t *pattern, size_t pattern_length,
                      const size_t *borders, bb_offsets *offsets)
{
    size_t matched = 0;
    while (start < limit) {
        if (matched == 0)
            while (start < limit && text[start] != pattern[0])
                start++;
        while (start < limit && text[start] == pattern[matched]) {
            start++;
            if (++matched == pattern_length) {
                if (append(offsets, start - pattern_length) != BB_OK)
                    return BB_MEMORY;
                matched = borders[pattern_length];
            }
        }
        matched = borders[matched]; /* text[start] again, against a shorter match */
    }
    return BB_OK;
}

bb_status bb_kmp_find(const uint8_t *text, size_t text_length, const uint8_t *pattern, size_t pattern_length, size_t start,
                      size_t end, bb_offsets *found)
{
    if (pattern_length == 0)
        return BB_EMPTY;
    bb_offsets offsets = {0};
    const size_t beyond = pattern_length - 1; /* a match may begin before the end and stop this far past it */
    const size_t limit = end < text_length && beyond < text_length - end ? end + beyond : text_length;
    if (start < limit && pattern_length <= limit - start) {
        size_t *borders = borders_of(pattern, pattern_length);
        if (borders == NULL)
            return BB_MEMORY;
        const bb_status status = scan(text, start, limit, pattern, pattern_length, borders, &offsets);
        free(borders);
        if (status != BB_OK) {
            bb_offsets_free(&offsets);
            return status;
        }
    }
    *found = offsets;
    return BB_OK;
}

void bb_offsets_free(bb_offsets *found)
{
    free(found->data);
    *found = (bb_offsets){0};
}
