/* Calls everything the header declares, as a C program does. The status says which line went wrong. */
#include <stdlib.h>
#include <string.h>

#include "bindbench_kernels.h"

#define CHECK(condition) do { if (!(condition)) exit(__LINE__); } while (0)

static bb_status add_context(void *context, int64_t i, int64_t *result)
{
    *result = i + *(int64_t *)context;
    return BB_OK;
}

static bb_status refuse(void *context, int64_t i, int64_t *result)
{
    (void)context;
    (void)i;
    (void)result;
    return 99;
}

/* All bytes and "ab"; of the classes only that a is a letter, and b. */
static void check_bpe(void)
{
    static uint8_t vocabulary[2 * 256 + 3], classes[0x110000];
    for (int byte = 0; byte < 256; byte++) {
        vocabulary[2 * byte] = 1;
        vocabulary[2 * byte + 1] = (uint8_t)byte;
    }
    memcpy(vocabulary + 2 * 256, "\2ab", 3);
    classes['a'] = classes['b'] = 1;
    bb_bpe *bpe = NULL;
    CHECK(bb_bpe_new(vocabulary, 9, classes, sizeof classes, &bpe) == BB_INVALID && bpe == NULL);
    CHECK(bb_bpe_new(vocabulary, sizeof vocabulary, classes, sizeof classes, &bpe) == BB_OK && bpe != NULL);

    const uint8_t *text = (const uint8_t *)"abba!";
    bb_tokens tokens = {0};
    CHECK(bb_bpe_encode(bpe, text, 5, &tokens) == BB_OK);
    CHECK(tokens.length == 4 && tokens.data[0] == 256 && tokens.data[1] == 'b' && tokens.data[2] == 'a' && tokens.data[3] == '!');
    bb_tokens_free(&tokens);
    CHECK(tokens.data == NULL && tokens.length == 0 && tokens.capacity == 0);
    bb_tokens_free(&tokens);
    CHECK(bb_bpe_encode(bpe, (const uint8_t *)"\xff", 1, &tokens) == BB_INVALID);
    CHECK(bb_bpe_encode(bpe, NULL, 0, &tokens) == BB_OK && tokens.length == 0);
    CHECK(bb_bpe_cut(bpe, text, 5, 1) == 4);
    bb_bpe_free(bpe);
    bb_bpe_free(NULL);
}

int main(void)
{
    check_bpe();
    bb_noop();
    CHECK(bb_add(INT64_MAX, 1) == INT64_MIN);
    CHECK(bb_length((const uint8_t *)"abc", 3) == 3);
    CHECK(bb_fail() == BB_FAILED);

    int64_t items[3];
    bb_give(items, 3);
    CHECK(items[0] == 0 && items[1] == 1 && items[2] == 2);
    int64_t context = 10, sum = 0;
    CHECK(bb_take(items, 3, &sum) == BB_OK && sum == 3);
    CHECK(bb_take((const int64_t[]){INT64_MAX, 1}, 2, &sum) == BB_OVERFLOW && sum == 3);
    CHECK(bb_call_back(add_context, &context, 3, &sum) == BB_OK && sum == 33);
    CHECK(bb_call_back(refuse, NULL, 3, &sum) == BB_CALLBACK && sum == 33);

    bb_offsets found = {0};
    CHECK(bb_kmp_find((const uint8_t *)"aaaa", 4, (const uint8_t *)"aa", 2, 1, SIZE_MAX, &found) == BB_OK);
    CHECK(found.length == 2 && found.data[0] == 1 && found.data[1] == 2);
    bb_offsets_free(&found);
    CHECK(found.data == NULL && found.length == 0 && found.capacity == 0);
    bb_offsets_free(&found);
    CHECK(bb_kmp_find(NULL, 0, NULL, 0, 0, 0, &found) == BB_EMPTY);

    const double data[] = {2, 4, 4, 4, 5, 5, 7, 9};
    double result = 0;
    CHECK(bb_sum(data, 8, &result) == BB_OK && result == 40);
    CHECK(bb_mean(data, 8, &result) == BB_OK && result == 5);
    CHECK(bb_var(data, 8, &result) == BB_OK && result == 4);
    CHECK(bb_std(data, 8, &result) == BB_OK && result == 2);
    CHECK(bb_std(NULL, 0, &result) == BB_EMPTY && result == 2);
    return 0;
}
