/* Byte pair encoding: the text is cut into pieces by the vocabulary's pattern, and each piece that is no token itself is merged from
 * its bytes, pairs of the lowest rank first. */
#include <stdlib.h>
#include <string.h>

#include "bindbench_kernels.h"

#define NONE UINT32_MAX /* no token, no rank */
#define CODE_POINTS 0x110000

/* What unicode.classes holds, and two of our own: past the end, and what is no UTF-8. Being none of the first four, they end every
 * run, so that a run has to look for its own class only. */
enum class { OTHER, LETTER, NUMBER, SPACE, END, MALFORMED };

typedef struct {
    uint32_t place; /* of the token in the vocabulary: its length, then its bytes */
    uint32_t rank;  /* NONE: the slot is empty */
} slot;

struct bb_bpe {
    uint8_t *vocabulary;
    uint8_t *classes;
    slot *table; /* open addressing, a power of two of slots, at most half of them taken */
    size_t mask;
    size_t longest;     /* token */
    uint32_t bytes[256]; /* ranks of the single bytes */
};

/* Up to 8 bytes as a number; the loads of 4 to 7 bytes overlap. Different bytes make different numbers. */
static inline uint64_t load(const uint8_t *bytes, size_t length)
{
    if (length >= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        return word;
    }
    if (length >= 4) {
        uint32_t first, last;
        memcpy(&first, bytes, 4);
        memcpy(&last, bytes + length - 4, 4);
        return first | (uint64_t)last << 32;
    }
    return bytes[0] | (uint64_t)bytes[length / 2] << 8 | (uint64_t)bytes[length - 1] << 16;
}

static inline size_t hash(const uint8_t *bytes, size_t length)
{
    const uint64_t factor = 0x9E3779B97F4A7C15; /* 2^64 / the golden ratio: odd, its bits well mixed */
    uint64_t state = length;
    for (; length > 8; bytes += 8, length -= 8) {
        state = (state ^ load(bytes, 8)) * factor;
        state ^= state >> 32;
    }
    state = (state ^ load(bytes, length)) * factor;
    return (size_t)(state ^ state >> 32);
}

/* The rank of a token, NONE if the bytes are none. Nothing longer than the longest token is looked at. */
static uint32_t rank_of(const bb_bpe *bpe, const uint8_t *bytes, size_t length)
{
    if (length > bpe->longest)
        return NONE;
    for (size_t i = hash(bytes, length) & bpe->mask;; i = (i + 1) & bpe->mask) {
        const slot entry = bpe->table[i];
        if (entry.rank == NONE)
            return NONE;
        const uint8_t *token = bpe->vocabulary + entry.place;
        if (token[0] == length && memcmp(token + 1, bytes, length) == 0)
            return entry.rank;
    }
}

/* The number of tokens; NONE when the vocabulary is not one. */
static uint32_t count_tokens(const uint8_t *vocabulary, size_t length, size_t *longest)
{
    uint32_t count = 0;
    *longest = 0;
    for (size_t place = 0; place < length; place += 1 + vocabulary[place], count++) {
        if (vocabulary[place] == 0 || vocabulary[place] >= length - place)
            return NONE;
        if (vocabulary[place] > *longest)
            *longest = vocabulary[place];
    }
    return count;
}

static bb_status fill(bb_bpe *bpe, uint32_t count)
{
    uint32_t place = 0;
    for (uint32_t rank = 0; rank < count; rank++) {
        const uint8_t *token = bpe->vocabulary + place;
        size_t i = hash(token + 1, token[0]) & bpe->mask;
        while (bpe->table[i].rank != NONE)
            i = (i + 1) & bpe->mask;
        bpe->table[i] = (slot){place, rank};
        place += 1 + token[0];
    }
    for (size_t i = 0; i < 256; i++) {
        const uint8_t byte = (uint8_t)i;
        bpe->bytes[i] = rank_of(bpe, &byte, 1);
        if (bpe->bytes[i] == NONE)
            return BB_INVALID;
    }
    return BB_OK;
}

static void *copy_of(const uint8_t *data, size_t length)
{
    void *copy = malloc(length);
    return copy == NULL ? NULL : memcpy(copy, data, length);
}

bb_status bb_bpe_new(const uint8_t *vocabulary, size_t vocabulary_length, const uint8_t *classes, size_t classes_length,
                     bb_bpe **bpe)
{
    size_t longest;
    if (vocabulary_length == 0 || vocabulary_length >= NONE || classes_length != CODE_POINTS)
        return BB_INVALID;
    for (size_t i = 0; i < CODE_POINTS; i++)
        if (classes[i] > SPACE)
            return BB_INVALID;
    const uint32_t count = count_tokens(vocabulary, vocabulary_length, &longest);
    if (count == NONE)
        return BB_INVALID;
    size_t slots = 2;
    while (slots < 2 * (size_t)count)
        slots *= 2;

    bb_bpe *made = calloc(1, sizeof *made);
    if (made == NULL)
        return BB_MEMORY;
    made->vocabulary = copy_of(vocabulary, vocabulary_length);
    made->classes = copy_of(classes, classes_length);
    made->table = calloc(slots, sizeof *made->table);
    made->mask = slots - 1;
    made->longest = longest;
    bb_status status = BB_MEMORY;
    if (made->vocabulary != NULL && made->classes != NULL && made->table != NULL) {
        for (size_t i = 0; i < slots; i++)
            made->table[i].rank = NONE;
        status = fill(made, count);
    }
    if (status == BB_OK)
        *bpe = made;
    else
        bb_bpe_free(made);
    return status;
}

void bb_bpe_free(bb_bpe *bpe)
{
    if (bpe == NULL)
        return;
    free(bpe->table);
    free(bpe->classes);
    free(bpe->vocabulary);
    free(bpe);
}

/* Cutting ------------------------------------------------------------------------------------------------------------ */

typedef struct {
    enum class class;
    unsigned width; /* in bytes */
} character;

static inline character non_ascii(const bb_bpe *bpe, const uint8_t *text, const uint8_t *end)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned width = text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : 2;
    if (text[0] < 0xC0 || text[0] >= 0xF8 || (size_t)(end - text) < width)
        return (character){MALFORMED, 1};
    uint32_t code = text[0] & (0x7F >> width);
    for (unsigned i = 1; i < width; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return (character){MALFORMED, 1};
        code = code << 6 | (text[i] & 0x3F);
    }
    if (code < smallest[width] || code >= CODE_POINTS || (code >= 0xD800 && code < 0xE000))
        return (character){MALFORMED, 1};
    return (character){bpe->classes[code], width};
}

static inline character character_at(const bb_bpe *bpe, const uint8_t *text, const uint8_t *end)
{
    if (text == end)
        return (character){END, 0};
    return text[0] < 0x80 ? (character){bpe->classes[text[0]], 1} : non_ascii(bpe, text, end);
}

static inline const uint8_t *skip_run(const bb_bpe *bpe, const uint8_t *text, const uint8_t *end, enum class class)
{
    for (character c; (c = character_at(bpe, text, end)).class == class;)
        text += c.width;
    return text;
}

static inline int is_break(const uint8_t *text, const uint8_t *end)
{
    return text < end && (*text == '\r' || *text == '\n');
}

/* '(?i:[sdmt]|ll|ve|re): its length, 0 if there is none. Setting bit 5 makes a capital letter small. */
static size_t contraction(const uint8_t *text, const uint8_t *end)
{
    if (text[0] != '\'' || end - text < 2)
        return 0;
    const int first = text[1] | 0x20;
    if (first == 's' || first == 'd' || first == 'm' || first == 't')
        return 2;
    if (end - text < 3)
        return 0;
    const int second = text[2] | 0x20;
    if ((first == 'l' && second == 'l') || ((first == 'v' || first == 'r') && second == 'e'))
        return 3;
    return text[1] == 0xC5 && text[2] == 0xBF ? 3 : 0; /* the long s, which is an s when case does not count */
}

/* White space: all of it at the end of the text; up to its last line break if it has one; else all but its last character, which
 * goes with what follows, unless it is the only one. */
static const uint8_t *end_of_space(const bb_bpe *bpe, const uint8_t *text, const uint8_t *end)
{
    const uint8_t *past_break = NULL, *last = text, *at = text;
    for (character c; (c = character_at(bpe, at, end)).class == SPACE;) {
        last = at;
        at += c.width;
        if (is_break(last, end))
            past_break = at;
    }
    return at == end ? end : past_break != NULL ? past_break : last > text ? last : at;
}

/* Where the piece ends that begins at text, which is not the end; NULL when there is no UTF-8. The pattern, alternative by
 * alternative:
 * '(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s */
static const uint8_t *end_of_piece(const bb_bpe *bpe, const uint8_t *text, const uint8_t *end)
{
    const size_t contracted = contraction(text, end);
    if (contracted > 0)
        return text + contracted;

    const character first = character_at(bpe, text, end);
    const uint8_t *second = text + first.width;
    if (first.class == MALFORMED)
        return NULL;
    if (first.class == LETTER)
        return skip_run(bpe, second, end, LETTER);
    if (first.class == NUMBER) {
        for (int i = 1; i < 3; i++) {
            const character c = character_at(bpe, second, end);
            second += c.class == NUMBER ? c.width : 0;
        }
        return second;
    }
    const character next = character_at(bpe, second, end);
    if (next.class == LETTER && !is_break(text, end))
        return skip_run(bpe, second + next.width, end, LETTER);
    if (first.class == OTHER || (text[0] == ' ' && next.class == OTHER)) {
        text = skip_run(bpe, second, end, OTHER);
        while (is_break(text, end))
            text++;
        return text;
    }
    return end_of_space(bpe, text, end);
}

/* Merging ------------------------------------------------------------------------------------------------------------ */

/* One piece being merged: a list of tokens, linked by the positions at which they begin, and a min-heap of rank << 32 | position
 * for the pairs that are tokens. Kept from piece to piece. */
typedef struct {
    size_t capacity; /* bytes of a piece */
    uint64_t *heap;  /* twice as many: each merge takes an entry out and puts at most two in */
    size_t waiting;  /* entries in the heap */
    uint32_t *next, *previous, *token;
    uint32_t *pair; /* rank of the token together with the next one; NONE: they are no token */
} merger;

static bb_status reserve_merger(merger *m, size_t length)
{
    if (length <= m->capacity)
        return BB_OK;
    const size_t capacity = length < 256 ? 256 : length, bytes_each = 2 * sizeof *m->heap + 4 * sizeof *m->next;
    if (capacity >= NONE || capacity > SIZE_MAX / bytes_each)
        return BB_MEMORY;
    free(m->heap);
    m->capacity = 0;
    m->heap = malloc(capacity * bytes_each); /* one block for all: the heap first, being the one of 64 bits */
    if (m->heap == NULL)
        return BB_MEMORY;
    m->capacity = capacity;
    m->next = (uint32_t *)(m->heap + 2 * capacity);
    m->previous = m->next + capacity;
    m->token = m->previous + capacity;
    m->pair = m->token + capacity;
    return BB_OK;
}

static void push(merger *m, uint64_t entry)
{
    size_t i = m->waiting++;
    for (; i > 0 && m->heap[(i - 1) / 2] > entry; i = (i - 1) / 2)
        m->heap[i] = m->heap[(i - 1) / 2];
    m->heap[i] = entry;
}

static uint64_t pop(merger *m)
{
    const uint64_t least = m->heap[0], moved = m->heap[--m->waiting];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < m->waiting; i = child) {
        if (child + 1 < m->waiting && m->heap[child + 1] < m->heap[child])
            child++;
        if (moved <= m->heap[child])
            break;
        m->heap[i] = m->heap[child];
    }
    m->heap[i] = moved;
    return least;
}

/* Looks the token at a position up together with its neighbour on the right. */
static void pair_up(const bb_bpe *bpe, merger *m, const uint8_t *piece, uint32_t length, uint32_t position)
{
    const uint32_t neighbour = m->next[position];
    const uint32_t rank = neighbour < length ? rank_of(bpe, piece + position, m->next[neighbour] - position) : NONE;
    m->pair[position] = rank;
    if (rank != NONE)
        push(m, (uint64_t)rank << 32 | position);
}

static void merge(const bb_bpe *bpe, merger *m, const uint8_t *piece, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        m->next[i] = i + 1;
        m->previous[i] = i - 1; /* that of the first is never read */
        m->token[i] = bpe->bytes[piece[i]];
    }
    m->waiting = 0;
    for (uint32_t i = 0; i < length; i++)
        pair_up(bpe, m, piece, length, i);
    while (m->waiting > 0) {
        const uint64_t entry = pop(m);
        const uint32_t rank = (uint32_t)(entry >> 32), position = (uint32_t)entry;
        if (m->pair[position] != rank)
            continue; /* one of the two has been merged with another since */
        const uint32_t right = m->next[position];
        m->token[position] = rank;
        m->next[position] = m->next[right];
        if (m->next[right] < length)
            m->previous[m->next[right]] = position;
        m->pair[right] = NONE;
        pair_up(bpe, m, piece, length, position);
        if (position > 0)
            pair_up(bpe, m, piece, length, m->previous[position]);
    }
}

/* Encoding ----------------------------------------------------------------------------------------------------------- */

/* Makes room for so many tokens more. */
static bb_status reserve_tokens(bb_tokens *tokens, size_t more)
{
    if (more <= tokens->capacity - tokens->length)
        return BB_OK;
    size_t capacity = tokens->capacity == 0 ? 64 : tokens->capacity;
    while (capacity - tokens->length < more) {
        if (capacity > SIZE_MAX / 2 / sizeof *tokens->data)
            return BB_MEMORY;
        capacity *= 2;
    }
    uint32_t *data = realloc(tokens->data, capacity * sizeof *data);
    if (data == NULL)
        return BB_MEMORY;
    tokens->data = data;
    tokens->capacity = capacity;
    return BB_OK;
}

static bb_status encode_piece(const bb_bpe *bpe, merger *m, const uint8_t *piece, size_t length, bb_tokens *tokens)
{
    const uint32_t whole = rank_of(bpe, piece, length);
    if (whole != NONE) {
        if (reserve_tokens(tokens, 1) != BB_OK)
            return BB_MEMORY;
        tokens->data[tokens->length++] = whole;
        return BB_OK;
    }
    if (reserve_merger(m, length) != BB_OK)
        return BB_MEMORY;
    merge(bpe, m, piece, (uint32_t)length);
    for (uint32_t i = 0; i < length; i = m->next[i]) {
        if (reserve_tokens(tokens, 1) != BB_OK)
            return BB_MEMORY;
        tokens->data[tokens->length++] = m->token[i];
    }
    return BB_OK;
}

bb_status bb_bpe_encode(const bb_bpe *bpe, const uint8_t *text, size_t text_length, bb_tokens *tokens)
{
    bb_tokens made = {0};
    merger m = {0};
    bb_status status = BB_OK;
    const uint8_t *end = text + text_length;
    while (text < end && status == BB_OK) {
        const uint8_t *piece = text;
        text = end_of_piece(bpe, piece, end);
        if (text == NULL) {
            status = BB_INVALID;
            break;
        }
        status = encode_piece(bpe, &m, piece, (size_t)(text - piece), &made);
    }
    free(m.heap);
    if (status == BB_OK)
        *tokens = made;
    else
        bb_tokens_free(&made);
    return status;
}

void bb_tokens_free(bb_tokens *tokens)
{
    free(tokens->data);
    *tokens = (bb_tokens){0};
}
