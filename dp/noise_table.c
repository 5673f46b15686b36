/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/noise_table.h"

#include <stdlib.h>

#include "base/secret.h"
#include "dp/noise.h"

#define BLOCK 512

/* What the cells still have to give away, and which of them have less, or more, than they hold. */
struct piles {
    u128 left[TABLE_CELLS];
    uint32_t small[TABLE_CELLS], large[TABLE_CELLS], n_small, n_large;
};

static void piles_free(struct piles **piles)
{
    free(*piles);
}

/* exp(-13.3^2 / 2) < 2^-127: nothing is lost beyond. */
static uint32_t reach_of(uint32_t sigma)
{
    return (133 * sigma + 9) / 10;
}
#define REACH_MAX (133 * NOISE_TABLE_SIGMA_MAX / 10 + 1)

static void pile(struct piles *p, uint32_t cell, u128 full)
{
    if (p->left[cell] < full)
        p->small[p->n_small++] = cell;
    else
        p->large[p->n_large++] = cell;
}

/* Vose's construction in whole numbers: each small cell is filled up by a large one. */
static void fill(struct table *t, struct piles *p)
{
    const u128 full = (u128)1 << (TABLE_BITS - t->cell_bits);
    for (uint32_t i = 0; i < UINT32_C(1) << t->cell_bits; i++) {
        t->other[i] = (int32_t)i - (int32_t)t->reach;
        pile(p, i, full);
    }
    while (p->n_small > 0) {
        const uint32_t small = p->small[--p->n_small];
        const uint32_t large = p->large[--p->n_large];
        t->other[small] = (int32_t)large - (int32_t)t->reach;
        t->bound[small] = (uint64_t)(p->left[small] >> 63);
        t->rest[small] = (uint64_t)p->left[small] & (UINT64_MAX >> 1);
        p->left[large] -= full - p->left[small];
        pile(p, large, full);
    }
    /* Who is still on the large pile has exactly what its cell holds, and itself as other. */
}

enum status table_new(struct table **out, uint32_t sigma)
{
    REQUIRE(sigma >= 1 && sigma <= NOISE_TABLE_SIGMA_MAX);
    AUTO(table_free) struct table *t = calloc(1, sizeof *t);
    AUTO(piles_free) struct piles *p = calloc(1, sizeof *p);
    if (t == NULL || p == NULL) return STATUS_NOMEM;
    t->reach = reach_of(sigma);
    while ((UINT32_C(1) << t->cell_bits) < 2 * t->reach + 1) t->cell_bits++;
    u128 weight[REACH_MAX + 1];
    law_weights(weight, t->reach + 1, sigma, TABLE_BITS);
    for (uint32_t x = 0; x <= t->reach; x++)
        p->left[t->reach + x] = p->left[t->reach - x] = weight[x];
    fill(t, p);
    *out = t;
    t = NULL;
    return STATUS_OK;
}

int table_distance(uint32_t sigma)
{
    REQUIRE(sigma >= 1 && sigma <= NOISE_TABLE_SIGMA_MAX);
    u128 weight[REACH_MAX + 1];
    law_weights(weight, reach_of(sigma) + 1, sigma, TABLE_BITS);
    return law_distance(weight[0], sigma, TABLE_BITS);
}

void table_free(struct table **table)
{
    free(*table);
    *table = NULL;
}

/* Look n <= BLOCK words up; whether any of them is open. Branches depend on n alone. */
static bool look_up(uint32_t *out, size_t n, const struct table *t, const uint64_t *word)
{
    const unsigned digits = TABLE_HEAD - t->cell_bits;
    uint64_t open = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t head = le64toh(word[i]) >> (64 - TABLE_HEAD);
        const uint64_t cell = head >> digits;
        const uint64_t u = head & ((UINT64_C(1) << digits) - 1);
        const uint32_t own = (uint32_t)cell - t->reach;
        const uint32_t other = (uint32_t)t->other[cell];
        const uint64_t apart = u - t->bound[cell]; /* both are below 2^63 */
        uint32_t below = -(uint32_t)(apart >> 63);
        __asm__("" : "+r"(below)); /* else clang makes a branch of it */
        open |= apart == 0;
        out[i] = other ^ ((own ^ other) & below);
    }
    return open != 0;
}

/* The samples of a block whose digits are those of the bound. */
static void settle(uint32_t *out, size_t n, const struct table *t, const uint64_t *word,
                   struct rng *rng)
{
    const unsigned digits = TABLE_HEAD - t->cell_bits;
    for (size_t i = 0; i < n; i++) {
        const uint64_t head = le64toh(word[i]) >> (64 - TABLE_HEAD);
        const uint64_t cell = head >> digits;
        if ((head & ((UINT64_C(1) << digits) - 1)) != t->bound[cell]) continue;
        const bool below = rng_u64(rng) >> 1 < t->rest[cell];
        out[i] = below ? (uint32_t)cell - t->reach : (uint32_t)t->other[cell];
    }
}

void table_draw(uint32_t *out, size_t n, const struct table *table, struct rng *rng)
{
    uint64_t word[BLOCK];
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t part = n - i < BLOCK ? n - i : BLOCK;
        rng_bytes(rng, word, part * sizeof *word);
        if (look_up(out + i, part, table, word)) settle(out + i, part, table, word, rng);
    }
    secret_wipe(word, sizeof word);
}
