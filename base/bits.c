/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bits.h"

#include <stdlib.h>
#include <string.h>

static size_t words(size_t n)
{
    return n / 64 + (n % 64 != 0);
}

enum status bits_new(struct bits *out, size_t n)
{
    uint64_t *word = calloc(n == 0 ? 1 : words(n), sizeof *word);
    if (word == NULL) return STATUS_NOMEM;
    *out = (struct bits){.n = n, .word = word};
    return STATUS_OK;
}

enum status bits_copy(struct bits *out, const struct bits *in)
{
    struct bits copy = {0};
    TRY(bits_new(&copy, in->n));
    if (in->n > 0) memcpy(copy.word, in->word, words(in->n) * sizeof *copy.word);
    *out = copy;
    return STATUS_OK;
}

void bits_free(struct bits *bits)
{
    free(bits->word);
    *bits = (struct bits){0};
}

void bits_set(struct bits *bits, size_t i)
{
    REQUIRE(i < bits->n);
    bits->word[i / 64] |= UINT64_C(1) << (i % 64);
}

void bits_clear(struct bits *bits, size_t i)
{
    REQUIRE(i < bits->n);
    bits->word[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

void bits_fill(struct bits *bits)
{
    for (size_t i = 0; i < words(bits->n); i++) bits->word[i] = UINT64_MAX;
    if (bits->n % 64 != 0) bits->word[bits->n / 64] = (UINT64_C(1) << (bits->n % 64)) - 1;
}

bool bits_has(const struct bits *bits, size_t i)
{
    return i < bits->n && (bits->word[i / 64] >> (i % 64) & 1) != 0;
}

size_t bits_count(const struct bits *bits)
{
    size_t count = 0;
    for (size_t i = 0; i < words(bits->n); i++)
        count += (size_t)__builtin_popcountll(bits->word[i]);
    return count;
}

bool bits_equal(const struct bits *a, const struct bits *b)
{
    return a->n == b->n &&
           (a->n == 0 || memcmp(a->word, b->word, words(a->n) * sizeof *a->word) == 0);
}

bool bits_subset(const struct bits *a, const struct bits *b)
{
    return a->n == b->n && bits_common(a, b) == bits_count(a);
}

size_t bits_common(const struct bits *a, const struct bits *b)
{
    if (a->n != b->n) return 0;
    size_t count = 0;
    for (size_t i = 0; i < words(a->n); i++)
        count += (size_t)__builtin_popcountll(a->word[i] & b->word[i]);
    return count;
}
