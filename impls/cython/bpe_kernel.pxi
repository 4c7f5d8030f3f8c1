# bpe: the kernel in Cython, with the library's names. A text is cut into pieces, as the vocabulary's pattern would cut it; a piece that
# is no token is merged from its bytes. Every place in a text is counted in bytes of its UTF-8.
from libc.stdint cimport UINT32_MAX
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy

cdef enum:
    OTHER, LETTER, NUMBER, SPACE  # the classes of characters

cdef enum:
    NONE = 0xFFFFFFFF  # no rank


# One place of the hash table.
cdef struct slot:
    uint32_t start  # of the token in the vocabulary
    uint32_t rank   # NONE: the place is free


cdef struct bb_bpe:
    uint8_t *vocabulary  # of each token its length, then its bytes
    slot *slots          # open addressing; their number is a power of two, at most half of them taken
    size_t mask          # that number less one
    size_t longest       # token, in bytes
    uint8_t *classes     # of all code points
    uint32_t[256] bytes  # ranks of the tokens of one byte


# A token within a piece, at the position of its first byte there.
cdef struct part:
    uint32_t previous
    uint32_t next   # the piece's length after the last
    uint32_t token
    uint32_t pair   # rank that this token and the next would have as one, or NONE


# What a merge works with; it serves one piece after the other.
cdef struct workspace:
    size_t capacity     # length of the longest piece it has room for
    part *parts
    uint64_t *heap      # of rank << 32 | position, smallest first
    size_t heap_length


# The vocabulary ------------------------------------------------------------------------------------------------------------------------

# Eight bytes at a time, then what is left. The upper half is the better one, so it is folded into the lower.
cdef inline uint64_t hash_of(const uint8_t *bytes, size_t length) noexcept nogil:
    cdef uint64_t factor = 0x9E3779B97F4A7C15, hash = length, word
    while length >= sizeof(word):
        memcpy(&word, bytes, sizeof(word))
        hash = (hash ^ word) * factor
        hash ^= hash >> 32
        bytes += sizeof(word)
        length -= sizeof(word)
    word = 0
    while length > 0:
        length -= 1
        word = word << 8 | bytes[length]
    hash = (hash ^ word) * factor
    return hash ^ hash >> 32


# The token's rank, which is its id too; NONE when these bytes are none.
cdef uint32_t rank_of(const bb_bpe *bpe, const uint8_t *bytes, size_t length) noexcept nogil:
    cdef const uint8_t *token
    cdef size_t at
    if length > bpe.longest:
        return NONE
    at = hash_of(bytes, length) & bpe.mask
    while bpe.slots[at].rank != NONE:
        token = bpe.vocabulary + bpe.slots[at].start
        if token[0] == length and memcmp(token + 1, bytes, length) == 0:
            break
        at = (at + 1) & bpe.mask
    return bpe.slots[at].rank


# Number of tokens in a vocabulary; 0 when it is not well formed.
cdef size_t count_tokens(const uint8_t *vocabulary, size_t length) noexcept nogil:
    cdef size_t at = 0, count = 0
    if length > UINT32_MAX:
        return 0
    while at < length:
        if vocabulary[at] == 0:
            return 0
        at += 1 + vocabulary[at]
        count += 1
    return count if at == length else 0


cdef bb_status fill(bb_bpe *bpe, size_t count) noexcept nogil:
    cdef const uint8_t *token = bpe.vocabulary
    cdef uint8_t byte
    cdef size_t rank, at
    for at in range(bpe.mask + 1):
        bpe.slots[at].rank = NONE
    for rank in range(count):
        at = hash_of(token + 1, token[0]) & bpe.mask
        while bpe.slots[at].rank != NONE:
            at = (at + 1) & bpe.mask
        bpe.slots[at] = slot(token - bpe.vocabulary, rank)
        bpe.longest = max(bpe.longest, token[0])
        token += 1 + token[0]
    for at in range(256):
        byte = at
        bpe.bytes[at] = rank_of(bpe, &byte, 1)
        if bpe.bytes[at] == NONE:
            return BB_INVALID
    return BB_OK


cdef bb_status bb_bpe_new(const uint8_t *vocabulary, size_t vocabulary_length, const uint8_t *classes, size_t classes_length,
                          bb_bpe **made) noexcept nogil:
    cdef size_t count = count_tokens(vocabulary, vocabulary_length), places = 1, i
    cdef bb_bpe *bpe
    cdef bb_status status = BB_MEMORY
    if count == 0 or classes_length != 0x110000:
        return BB_INVALID
    for i in range(classes_length):
        if classes[i] > SPACE:
            return BB_INVALID
    while places < 2 * count:
        places *= 2
    bpe = <bb_bpe *>calloc(1, sizeof(bb_bpe))
    if bpe == NULL:
        return BB_MEMORY
    bpe.mask = places - 1
    bpe.vocabulary = <uint8_t *>malloc(vocabulary_length)
    bpe.classes = <uint8_t *>malloc(classes_length)
    bpe.slots = <slot *>calloc(places, sizeof(slot))
    if bpe.vocabulary != NULL and bpe.classes != NULL and bpe.slots != NULL:
        memcpy(bpe.vocabulary, vocabulary, vocabulary_length)
        memcpy(bpe.classes, classes, classes_length)
        status = fill(bpe, count)
    if status != BB_OK:
        bb_bpe_free(bpe)
        return status
    made[0] = bpe
    return BB_OK


cdef void bb_bpe_free(bb_bpe *bpe) noexcept nogil:
    if bpe != NULL:
        free(bpe.vocabulary)
        free(bpe.classes)
        free(bpe.slots)
        free(bpe)


# Pieces: the pattern, written out ------------------------------------------------------------------------------------------------------

# Class and width in bytes of the character here. Python's own encoder has made this UTF-8, so it is not checked again.
cdef inline uint8_t class_of(const bb_bpe *bpe, const uint8_t *text, size_t *width) noexcept nogil:
    cdef uint32_t first = text[0]
    if first < 0x80:
        width[0] = 1
        return bpe.classes[first]
    if first < 0xE0:
        width[0] = 2
        return bpe.classes[(first & 0x1F) << 6 | text[1] & 0x3F]
    if first < 0xF0:
        width[0] = 3
        return bpe.classes[(first & 0x0F) << 12 | (text[1] & 0x3F) << 6 | text[2] & 0x3F]
    width[0] = 4
    return bpe.classes[(first & 0x07) << 18 | (text[1] & 0x3F) << 12 | (text[2] & 0x3F) << 6 | text[3] & 0x3F]


# End of the run of characters of one class that starts here.
cdef inline size_t run(const bb_bpe *bpe, const uint8_t *text, size_t length, size_t at, uint8_t kind) noexcept nogil:
    cdef size_t width
    while at < length and class_of(bpe, text + at, &width) == kind:
        at += width
    return at


cdef inline bint ends_line(uint8_t byte) noexcept nogil:
    return byte == c"\n" or byte == c"\r"


# Width of 's, 't, 're and the like, in either case; 0 when there is none.
cdef size_t contraction(const uint8_t *text, size_t length) noexcept nogil:
    cdef uint8_t first, second
    if length < 2 or text[0] != c"'":
        return 0
    first = text[1] | 0x20  # lower case
    if first == c"s" or first == c"d" or first == c"m" or first == c"t":
        return 2
    if length < 3:
        return 0
    second = text[2] | 0x20
    if first == c"l" and second == c"l" or (first == c"v" or first == c"r") and second == c"e":
        return 3
    return 3 if text[1] == 0xC5 and text[2] == 0xBF else 0  # ſ, an s to whoever ignores case


# All white space when it ends the text; else up to the last line end in it; else all but its last character, but not nothing.
cdef size_t white_space(const bb_bpe *bpe, const uint8_t *text, size_t length, size_t start) noexcept nogil:
    cdef size_t end = start, last = start, line_end = start, width
    while end < length and class_of(bpe, text + end, &width) == SPACE:
        last = end
        end += width
        if ends_line(text[last]):
            line_end = end
    if end == length:
        return end
    if line_end > start:
        return line_end
    return last if last > start else end


# End of the piece that starts here.
cdef size_t piece_end(const bb_bpe *bpe, const uint8_t *text, size_t length, size_t start) noexcept nogil:
    cdef size_t width, after, end = start + contraction(text + start, length - start)
    cdef uint8_t kind
    if end > start:
        return end
    kind = class_of(bpe, text + start, &width)
    after = start + width
    if kind == NUMBER:  # one to three
        if after < length and class_of(bpe, text + after, &width) == NUMBER:
            after += width
            if after < length and class_of(bpe, text + after, &width) == NUMBER:
                after += width
        return after
    if kind == LETTER:
        return run(bpe, text, length, after, LETTER)
    if not ends_line(text[start]):  # letters after one character of another kind
        end = run(bpe, text, length, after, LETTER)
        if end > after:
            return end
    if kind == OTHER or text[start] == c" ":  # a run of others, perhaps after a space, and the line ends behind it
        end = run(bpe, text, length, after, OTHER)
        if end > after or kind == OTHER:
            while end < length and ends_line(text[end]):
                end += 1
            return end
    return white_space(bpe, text, length, start)


# Merging -------------------------------------------------------------------------------------------------------------------------------

# Room for a piece. The heap has twice its length: a merge takes one pair from it and adds two at the most, and there are fewer
# merges than bytes.
cdef bb_status make_room(workspace *work, size_t length) noexcept nogil:
    cdef size_t capacity = max(length, 2 * work.capacity)
    if length <= work.capacity:
        return BB_OK
    if length > UINT32_MAX or capacity > <size_t>-1 // (sizeof(part) + 2 * sizeof(uint64_t)):
        return BB_MEMORY
    give_back(work)  # nothing in it is needed any more
    work.parts = <part *>malloc(capacity * sizeof(part))
    work.heap = <uint64_t *>malloc(2 * capacity * sizeof(uint64_t))
    if work.parts == NULL or work.heap == NULL:
        return BB_MEMORY
    work.capacity = capacity
    return BB_OK


cdef void give_back(workspace *work) noexcept nogil:
    free(work.parts)
    free(work.heap)
    work[0] = workspace(0, NULL, NULL, 0)


cdef void push(workspace *work, uint64_t entry) noexcept nogil:
    cdef size_t at = work.heap_length, parent
    work.heap_length += 1
    while at > 0:
        parent = (at - 1) // 2
        if work.heap[parent] <= entry:
            break
        work.heap[at] = work.heap[parent]
        at = parent
    work.heap[at] = entry


cdef uint64_t pop(workspace *work) noexcept nogil:
    cdef uint64_t smallest = work.heap[0], entry
    cdef size_t at = 0, child = 1
    work.heap_length -= 1
    entry = work.heap[work.heap_length]
    while child < work.heap_length:
        if child + 1 < work.heap_length and work.heap[child + 1] < work.heap[child]:
            child += 1
        if entry <= work.heap[child]:
            break
        work.heap[at] = work.heap[child]
        at = child
        child = 2 * at + 1
    work.heap[at] = entry
    return smallest


# Looks up what the parts at a position and after it would be as one.
cdef void rank_pair(const bb_bpe *bpe, const uint8_t *piece, size_t length, workspace *work, uint32_t at) noexcept nogil:
    cdef part *left = &work.parts[at]
    left.pair = NONE
    if left.next < length:
        left.pair = rank_of(bpe, piece + at, work.parts[left.next].next - at)
    if left.pair != NONE:
        push(work, <uint64_t>left.pair << 32 | at)


cdef bb_status merge(const bb_bpe *bpe, const uint8_t *piece, size_t length, workspace *work, bb_tokens *tokens) noexcept nogil:
    cdef part *left
    cdef part *right
    cdef uint64_t entry
    cdef uint32_t at
    cdef size_t i
    if make_room(work, length) != BB_OK:
        return BB_MEMORY
    for i in range(length):
        work.parts[i] = part(i - 1, i + 1, bpe.bytes[piece[i]], NONE)
    for i in range(length):
        rank_pair(bpe, piece, length, work, i)
    while work.heap_length > 0:
        entry = pop(work)
        at = entry & UINT32_MAX
        left = &work.parts[at]
        if left.pair != entry >> 32:
            continue  # stale: one of the two has been merged with another since
        right = &work.parts[left.next]
        left.token = left.pair
        left.next = right.next
        right.pair = NONE
        if left.next < length:
            work.parts[left.next].previous = at
        rank_pair(bpe, piece, length, work, at)
        if at > 0:
            rank_pair(bpe, piece, length, work, left.previous)
    i = 0
    while i < length:
        if append_token(tokens, work.parts[i].token) != BB_OK:
            return BB_MEMORY
        i = work.parts[i].next
    return BB_OK


cdef bb_status append_token(bb_tokens *tokens, uint32_t token) noexcept nogil:
    cdef size_t capacity
    cdef uint32_t *data
    if tokens.length == tokens.capacity:
        capacity = 2 * tokens.capacity if tokens.capacity else 64
        data = <uint32_t *>realloc(tokens.data, capacity * sizeof(uint32_t))
        if data == NULL:
            return BB_MEMORY  # what there is so far stays: the caller frees it
        tokens.data = data
        tokens.capacity = capacity
    tokens.data[tokens.length] = token
    tokens.length += 1
    return BB_OK


cdef bb_status encode_pieces(const bb_bpe *bpe, const uint8_t *text, size_t length, workspace *work, bb_tokens *tokens) noexcept nogil:
    cdef size_t start = 0, end
    cdef uint32_t rank
    cdef bb_status status
    while start < length:
        end = piece_end(bpe, text, length, start)
        rank = rank_of(bpe, text + start, end - start)
        if rank != NONE:
            status = append_token(tokens, rank)
        else:
            status = merge(bpe, text + start, end - start, work, tokens)
        if status != BB_OK:
            return status
        start = end
    return BB_OK


cdef bb_status bb_bpe_encode(const bb_bpe *bpe, const uint8_t *text, size_t text_length, bb_tokens *tokens) noexcept nogil:
    cdef workspace work = workspace(0, NULL, NULL, 0)
    cdef bb_tokens found = bb_tokens(NULL, 0, 0)
    cdef bb_status status = encode_pieces(bpe, text, text_length, &work, &found)
    give_back(&work)
    if status != BB_OK:
        bb_tokens_free(&found)
        return status
    tokens[0] = found
    return BB_OK


cdef void bb_tokens_free(bb_tokens *tokens) noexcept nogil:
    free(tokens.data)
    tokens[0] = bb_tokens(NULL, 0, 0)
