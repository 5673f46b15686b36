/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/allocate.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/rng.h"

_Static_assert(ALLOCATE_BLOCKS_MAX <= 32, "a row is one word");

/* The matrix while it is drawn: row i is a set of blocks, that of the cohort's i-th site. */
struct matrix {
    const struct study *study;
    const struct bits *cohort;
    uint32_t n, blocks;
    struct rng rng;                      /* public */
    uint32_t *site, *row, *room, *order; /* n each; room: how many blocks the site can hold */
    uint64_t count[ALLOCATE_BLOCKS_MAX]; /* how often each block was given out, in mode private and
                                          * with `empty: least` */
};

static void matrix_free(struct matrix *matrix)
{
    free(matrix->site);
    *matrix = (struct matrix){0};
}

static enum status matrix_new(struct matrix *out, const struct study *study, uint32_t blocks,
                              const struct bits *cohort)
{
    const size_t n = bits_count(cohort);
    struct matrix matrix = {.study = study, .cohort = cohort, .blocks = blocks};
    matrix.site = calloc(4 * (n + 1), sizeof *matrix.site);
    if (matrix.site == NULL) return STATUS_NOMEM;
    matrix.row = matrix.site + n;
    matrix.room = matrix.row + n;
    matrix.order = matrix.room + n;
    for (uint32_t v = 0; v < cohort->n; v++)
        if (bits_has(cohort, v)) matrix.site[matrix.n++] = v;
    *out = matrix;
    return STATUS_OK;
}

static uint32_t first_blocks(uint32_t n)
{
    return n >= 32 ? UINT32_MAX : (UINT32_C(1) << n) - 1;
}

static uint32_t size_of(uint32_t set)
{
    return (uint32_t)__builtin_popcount(set);
}

/* Everybody's chance: nobody chose it. */
static void seed_step(struct matrix *m, uint32_t step_number)
{
    struct hash_state state;
    hash_start(&state, "allocation");
    hash_add(&state, m->study->hash.bytes, HASH_BYTES);
    hash_add_u64(&state, step_number);
    hash_add_u64(&state, m->cohort->n);
    for (uint32_t i = 0; i < m->n; i++) hash_add_u64(&state, m->site[i]);
    const struct hash seed = hash_end(&state);
    rng_seeded(&m->rng, seed.bytes);
}

static void draw_rooms(struct matrix *m)
{
    const uint32_t count = m->study->allocation.n_capacities;
    for (uint32_t i = 0; i < m->n; i++) {
        const uint32_t at =
            m->study->allocation.dynamic ? (uint32_t)rng_below(&m->rng, count) : m->site[i] % count;
        const uint32_t room = m->study->allocation.capacities[at];
        m->room[i] = room < m->blocks ? room : m->blocks;
    }
}

/* A uniform subset of a set, of at most n of its blocks. */
static uint32_t draw_subset(struct matrix *m, uint32_t set, uint32_t n)
{
    uint32_t drawn = 0;
    for (; n > 0 && set != 0; n--) {
        uint32_t left = set;
        for (uint64_t skip = rng_below(&m->rng, size_of(set)); skip > 0; skip--) left &= left - 1;
        const uint32_t block = left & -left;
        drawn |= block;
        set &= ~block;
    }
    return drawn;
}

static void shuffle(struct matrix *m, uint32_t *order, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) order[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        const uint64_t j = rng_below(&m->rng, i);
        const uint32_t held = order[i - 1];
        order[i - 1] = order[j];
        order[j] = held;
    }
}

/* --- mode paper ------------------------------------------------------------------------------- */

static uint32_t covered(const struct matrix *m)
{
    uint32_t any = 0;
    for (uint32_t i = 0; i < m->n; i++) any |= m->row[i];
    return any;
}

static void draw_independent(struct matrix *m)
{
    const uint32_t all = first_blocks(m->blocks);
    for (uint32_t i = 0; i < m->n; i++) m->row[i] = draw_subset(m, all, m->room[i]);
}

/* While a block is left out, some site draws again and takes such blocks first. */
static void repair(struct matrix *m)
{
    const uint32_t all = first_blocks(m->blocks);
    for (uint32_t tries = 0; tries < ALLOCATE_REPAIRS_MAX && covered(m) != all; tries++) {
        const uint32_t empty = all & ~covered(m);
        const uint64_t i = rng_below(&m->rng, m->n);
        const uint32_t taken = draw_subset(m, empty, m->room[i]);
        m->row[i] = taken | draw_subset(m, all & ~empty, m->room[i] - size_of(taken));
    }
}

/* --- those that were given out least often come first ------------------------------------------
 */

/* The blocks of a set that were given out least often, ties in the order of rank. */
static uint32_t take_least(struct matrix *m, const uint32_t *rank, uint32_t served, uint32_t n)
{
    uint32_t taken = 0;
    for (; n > 0 && taken != served; n--) {
        uint32_t best = LAYOUT_NONE;
        for (uint32_t k = 0; k < m->blocks; k++) {
            const uint32_t b = rank[k];
            if ((served & ~taken & UINT32_C(1) << b) == 0) continue;
            if (best == LAYOUT_NONE || m->count[b] < m->count[best]) best = b;
        }
        taken |= UINT32_C(1) << best;
        m->count[best]++;
    }
    return taken;
}

/* Sites in random order. Counts that differ by one at most stay so, whatever a site can hold. */
static void give_out(struct matrix *m, const uint32_t *rank, uint32_t served)
{
    shuffle(m, m->order, m->n);
    for (uint32_t k = 0; k < m->n; k++) {
        const uint32_t i = m->order[k];
        m->row[i] = take_least(m, rank, served, m->room[i]);
    }
}

/* How many blocks can have enough holders. */
static uint32_t most_served(const struct matrix *m)
{
    for (uint32_t s = m->blocks; s > 0; s--) {
        uint64_t sum = 0;
        for (uint32_t i = 0; i < m->n; i++) sum += m->room[i] < s ? m->room[i] : s;
        if (sum >= (uint64_t)s * m->study->allocation.min_holders) return s;
    }
    return 0;
}

/* The order of the blocks is random, so that each row alone is a uniform subset. */
static void draw_balanced(struct matrix *m)
{
    uint32_t rank[ALLOCATE_BLOCKS_MAX], served = 0;
    shuffle(m, rank, m->blocks);
    for (uint32_t s = most_served(m); s > 0; s--) served |= UINT32_C(1) << rank[s - 1];
    give_out(m, rank, served);
}

/* Counts that go on from the steps before, as this cohort would have taken them. */
static void draw_least(struct matrix *m, uint32_t step_number)
{
    for (uint32_t step = 0; step <= step_number; step++) {
        uint32_t rank[ALLOCATE_BLOCKS_MAX];
        seed_step(m, step);
        draw_rooms(m);
        shuffle(m, rank, m->blocks);
        give_out(m, rank, first_blocks(m->blocks));
    }
}

/* --- all modes ---------------------------------------------------------------------------------
 */

static void draw_paper(struct matrix *m, uint32_t step_number)
{
    if (m->study->allocation.empty == STUDY_EMPTY_LEAST) {
        draw_least(m, step_number);
        return;
    }
    draw_independent(m);
    if (m->study->allocation.empty == STUDY_EMPTY_REPAIR) repair(m);
}

static void draw(struct matrix *m, uint32_t step_number)
{
    uint32_t least = m->blocks;
    seed_step(m, step_number);
    draw_rooms(m);
    for (uint32_t k = 0; k < m->study->allocation.n_capacities; k++)
        if (m->study->allocation.capacities[k] < least) least = m->study->allocation.capacities[k];
    switch (m->study->allocation.mode) {
    case STUDY_ALLOCATION_PAPER:
        draw_paper(m, step_number);
        return;
    case STUDY_ALLOCATION_PRIVATE:
        draw_balanced(m);
        return;
    case STUDY_ALLOCATION_ALL_SMALL:
        for (uint32_t i = 0; i < m->n; i++) m->row[i] = first_blocks(least);
        return;
    case STUDY_ALLOCATION_PREFIX:
        for (uint32_t i = 0; i < m->n; i++) m->row[i] = first_blocks(m->room[i]);
        return;
    case STUDY_ALLOCATION_EXCLUSIVE:
        for (uint32_t i = 0; i < m->n; i++)
            m->row[i] = m->room[i] == m->blocks ? first_blocks(m->blocks) : 0;
        return;
    default: /* all-large */
        for (uint32_t i = 0; i < m->n; i++) m->row[i] = first_blocks(m->blocks);
    }
}

/* Columns of the matrix, but for those of too few. */
static enum status read_columns(struct allocation *out, const struct matrix *m)
{
    out->n = m->blocks;
    const bool exclusive = m->study->allocation.mode == STUDY_ALLOCATION_EXCLUSIVE;
    TRY(bits_new(&out->sharer, m->cohort->n));
    for (uint32_t i = 0; i < m->n; i++)
        if (!exclusive || m->row[i] != 0) bits_set(&out->sharer, m->site[i]);
    for (uint32_t b = 0; b < m->blocks; b++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < m->n; i++) count += m->row[i] >> b & 1;
        TRY(bits_new(&out->holder[b], m->cohort->n));
        if (count < m->study->allocation.min_holders) continue;
        for (uint32_t i = 0; i < m->n; i++)
            if ((m->row[i] >> b & 1) != 0) bits_set(&out->holder[b], m->site[i]);
    }
    return STATUS_OK;
}

void allocation_free(struct allocation *allocation)
{
    for (uint32_t b = 0; b < ALLOCATE_BLOCKS_MAX; b++) bits_free(&allocation->holder[b]);
    bits_free(&allocation->sharer);
    *allocation = (struct allocation){0};
}

enum status allocate_of(struct allocation *out, const struct study *study, uint32_t blocks,
                        uint32_t step_number, const struct bits *cohort)
{
    REQUIRE(blocks > 0 && blocks <= ALLOCATE_BLOCKS_MAX && study->allocation.n_capacities > 0);
    AUTO(matrix_free) struct matrix matrix = {0};
    TRY(matrix_new(&matrix, study, blocks, cohort));
    draw(&matrix, step_number);
    AUTO(allocation_free) struct allocation allocation = {0};
    TRY(read_columns(&allocation, &matrix));
    *out = allocation;
    allocation = (struct allocation){0};
    return STATUS_OK;
}

uint32_t allocate_block(const char *segment)
{
    static const char name[] = "block";
    if (strncmp(segment, name, sizeof name - 1) != 0) return LAYOUT_NONE;
    uint32_t number = 0;
    for (const char *at = segment + sizeof name - 1; *at != '\0'; at++)
        number = 10 * number + (uint32_t)(*at - '0');
    return number - 1;
}

uint32_t allocate_blocks(const struct layout *layout)
{
    uint32_t blocks = 0;
    for (uint32_t s = 0; s < layout->n_segments; s++)
        blocks += allocate_block(layout->segment[s]) != LAYOUT_NONE;
    return blocks;
}
