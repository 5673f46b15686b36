/* SPDX-License-Identifier: Apache-2.0 */
/* Draws are public: each test looks at studies or steps of fixed numbers. Where it counts how often
 * something came, an honest draw would be told off with a chance below 1e-6 (Laurent and Massart
 * 2000, lemma 1), were it drawn anew. */
#include "protocol/allocate.h"

#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

enum { SITES = 6, BLOCKS = 12 };

struct list {
    uint32_t n, capacity[SITES];
};
static const struct list paper_list = {6, {12, 10, 8, 6, 4, 3}};
static const struct list lists[] = {
    {6, {12, 10, 8, 6, 4, 3}}, {1, {6}}, {1, {4}}, {1, {3}}, {2, {12, 3}}, {6, {12, 3, 3, 3, 3, 3}},
};
enum { LISTS = sizeof lists / sizeof *lists };

static struct study study_of(enum study_allocation mode, const struct list *list, uint32_t holders)
{
    struct study study = {.allocation = {.mode = mode, .min_holders = holders}};
    study.allocation.n_capacities = list->n;
    memcpy(study.allocation.capacities, list->capacity, sizeof list->capacity);
    return study;
}

static void number(struct study *study, uint32_t which)
{
    memcpy(study->hash.bytes, &which, sizeof which);
}

/* Rows as words, of all six sites; the sites that are not in cohort have none. */
struct rows {
    uint32_t row[SITES], column[BLOCKS], sharers;
};

static void draw(struct rows *out, const struct study *study, uint32_t step, uint32_t cohort)
{
    AUTO(bits_free) struct bits sites = {0};
    CHECK_OK(bits_new(&sites, SITES));
    for (uint32_t v = 0; v < SITES; v++)
        if ((cohort >> v & 1) != 0) bits_set(&sites, v);
    AUTO(allocation_free) struct allocation allocation = {0};
    CHECK_OK(allocate_of(&allocation, study, BLOCKS, step, &sites));
    CHECK_NUMBER(BLOCKS, allocation.n);
    *out = (struct rows){.sharers = (uint32_t)allocation.sharer.word[0]};
    for (uint32_t b = 0; b < BLOCKS; b++) {
        CHECK(bits_subset(&allocation.holder[b], &sites));
        out->column[b] = (uint32_t)bits_count(&allocation.holder[b]);
        for (uint32_t v = 0; v < SITES; v++)
            out->row[v] |= (uint32_t)bits_has(&allocation.holder[b], v) << b;
    }
}

static uint32_t size_of(uint32_t set)
{
    return (uint32_t)__builtin_popcount(set);
}

static void each_site_gets_as_many_blocks_as_it_can_hold(void)
{
    for (uint32_t k = 0; k < LISTS; k++)
        for (enum study_empty empty = STUDY_EMPTY_KEEP; empty <= STUDY_EMPTY_LEAST; empty++) {
            struct study study = study_of(STUDY_ALLOCATION_PAPER, &lists[k], 1);
            study.allocation.empty = empty;
            for (uint32_t step = 0; step < 30; step++) {
                struct rows rows;
                draw(&rows, &study, step, 63);
                for (uint32_t v = 0; v < SITES; v++)
                    CHECK_NUMBER(lists[k].capacity[v % lists[k].n], size_of(rows.row[v]));
                CHECK_NUMBER(63, rows.sharers);
            }
        }
}

/* Twelve blocks at six sites, three of which each needs: how many are served. */
static void balanced_columns_differ_by_one_at_most_and_none_is_thin(void)
{
    static const uint32_t served[LISTS] = {12, 12, 8, 6, 12, 7};
    for (uint32_t k = 0; k < LISTS; k++) {
        const struct study study = study_of(STUDY_ALLOCATION_PRIVATE, &lists[k], 3);
        for (uint32_t step = 0; step < 50; step++) {
            struct rows rows;
            draw(&rows, &study, step, 63);
            uint32_t count = 0, least = SITES, most = 0;
            for (uint32_t b = 0; b < BLOCKS; b++) {
                if (rows.column[b] == 0) continue;
                count++;
                least = rows.column[b] < least ? rows.column[b] : least;
                most = rows.column[b] > most ? rows.column[b] : most;
            }
            CHECK_NUMBER(served[k], count);
            CHECK(least >= 3 && most <= least + 1);
            for (uint32_t v = 0; v < SITES; v++) {
                const uint32_t room = lists[k].capacity[v % lists[k].n];
                CHECK_NUMBER(room < count ? room : count, size_of(rows.row[v]));
            }
        }
    }
}

/* The bound that a chi-square of so many degrees of freedom passes with a chance below 1e-6. */
static double bound(double degrees)
{
    const double x = log(1e6);
    return degrees + 2 * sqrt(degrees * x) + 2 * x;
}

static double chi_square(const uint32_t *count, size_t cells, double draws)
{
    double sum = 0;
    for (size_t i = 0; i < cells; i++)
        sum += pow((double)count[i] - draws / (double)cells, 2) / (draws / (double)cells);
    return sum;
}

/* The sites of capacities 3 and 10 of the paper's list: 220 and 66 subsets. */
static void each_row_alone_is_a_uniform_subset(void)
{
    static uint32_t count[1 << BLOCKS];
    enum { DRAWS = 4400 };
    for (unsigned form = 0; form < 4; form++)
        for (uint32_t site = 1; site < SITES; site += 4) {
            struct study study = study_of(
                form < 2 ? STUDY_ALLOCATION_PRIVATE : STUDY_ALLOCATION_PAPER, &paper_list, 1);
            /* all-4 lists serve eight of twelve: which ones is chance too. */
            if (form == 1) study = study_of(STUDY_ALLOCATION_PRIVATE, &lists[2], 3);
            if (form == 3) study.allocation.empty = STUDY_EMPTY_LEAST;
            memset(count, 0, sizeof count);
            for (uint32_t i = 0; i < DRAWS; i++) {
                struct rows rows;
                number(&study, i);
                draw(&rows, &study, 1, 63);
                count[rows.row[site]]++;
            }
            const uint32_t size = paper_list.capacity[form == 1 ? 4 : site];
            uint32_t cells = 0;
            for (uint32_t set = 0; set < 1 << BLOCKS; set++) {
                if (size_of(set) != size) {
                    CHECK_NUMBER(0, count[set]);
                    continue;
                }
                count[cells++] = count[set];
            }
            CHECK(chi_square(count, cells, DRAWS) < bound(cells - 1));
        }
}

static void dynamic_capacities_are_drawn_evenly(void)
{
    struct study study = study_of(STUDY_ALLOCATION_PAPER, &paper_list, 1);
    study.allocation.dynamic = true;
    enum { DRAWS = 1200 };
    uint32_t count[SITES] = {0};
    for (uint32_t step = 0; step < DRAWS; step++) {
        struct rows rows;
        draw(&rows, &study, step, 63);
        for (uint32_t v = 0; v < SITES; v++)
            for (uint32_t k = 0; k < SITES; k++)
                count[k] += size_of(rows.row[v]) == paper_list.capacity[k];
    }
    CHECK(chi_square(count, SITES, DRAWS * SITES) < bound(SITES - 1));
    study.allocation.mode = STUDY_ALLOCATION_PRIVATE;
    study.allocation.min_holders = 3;
    for (uint32_t step = 0; step < 100; step++) {
        struct rows rows;
        draw(&rows, &study, step, 63);
        for (uint32_t b = 0; b < BLOCKS; b++) CHECK(rows.column[b] == 0 || rows.column[b] >= 3);
    }
}

static uint32_t covered(const struct rows *rows)
{
    uint32_t any = 0;
    for (uint32_t v = 0; v < SITES; v++) any |= rows->row[v];
    return size_of(any);
}

/* Six sites of four blocks leave one of twelve empty three times in four. */
static void repair_leaves_no_block_empty(void)
{
    struct study study = study_of(STUDY_ALLOCATION_PAPER, &lists[2], 1);
    uint32_t gaps = 0, moved = 0;
    for (uint32_t step = 0; step < 100; step++) {
        struct rows rows, kept;
        study.allocation.empty = STUDY_EMPTY_KEEP;
        draw(&kept, &study, step, 63);
        gaps += covered(&kept) < BLOCKS;
        study.allocation.empty = STUDY_EMPTY_REPAIR;
        draw(&rows, &study, step, 63);
        CHECK_NUMBER(BLOCKS, covered(&rows));
        for (uint32_t v = 0; v < SITES; v++) moved |= (uint32_t)(rows.row[v] != kept.row[v]) << v;
    }
    CHECK(gaps > 50 && gaps < 95);
    CHECK_NUMBER(63, moved); /* any site may be the one that draws again */
    /* Where there is not room for all, it ends all the same. */
    const struct list ones = {1, {1}};
    study = study_of(STUDY_ALLOCATION_PAPER, &ones, 1);
    study.allocation.empty = STUDY_EMPTY_REPAIR;
    struct rows rows;
    draw(&rows, &study, 0, 63);
    CHECK(covered(&rows) <= SITES);
}

static void what_was_given_out_least_comes_first_step_after_step(void)
{
    for (uint32_t k = 0; k < LISTS; k++) {
        struct study study = study_of(STUDY_ALLOCATION_PAPER, &lists[k], 1);
        study.allocation.empty = STUDY_EMPTY_LEAST;
        uint32_t count[BLOCKS] = {0};
        for (uint32_t step = 0; step < 25; step++) {
            struct rows rows;
            draw(&rows, &study, step, 31);
            uint32_t least = UINT32_MAX, most = 0;
            for (uint32_t b = 0; b < BLOCKS; b++) {
                count[b] += rows.column[b];
                least = count[b] < least ? count[b] : least;
                most = count[b] > most ? count[b] : most;
            }
            CHECK(most <= least + 1);
        }
    }
}

static void a_block_of_too_few_is_served_to_nobody(void)
{
    struct study one = study_of(STUDY_ALLOCATION_PAPER, &paper_list, 1), three = one;
    three.allocation.min_holders = 3;
    uint32_t thin = 0;
    for (uint32_t step = 0; step < 100; step++) {
        struct rows all, rows;
        draw(&all, &one, step, 63);
        draw(&rows, &three, step, 63);
        for (uint32_t b = 0; b < BLOCKS; b++) {
            CHECK_NUMBER(all.column[b] < 3 ? 0 : all.column[b], rows.column[b]);
            thin += all.column[b] < 3;
        }
    }
    CHECK(thin > 0);
}

static void what_it_is_compared_with_is_plain(void)
{
    static const uint32_t prefix[SITES] = {0xfff, 0x3ff, 0xff, 0x3f, 0xf, 7};
    struct rows rows;
    struct study study = study_of(STUDY_ALLOCATION_ALL_LARGE, &paper_list, 1);
    draw(&rows, &study, 0, 63);
    for (uint32_t v = 0; v < SITES; v++) CHECK_NUMBER(0xfff, rows.row[v]);
    study.allocation.mode = STUDY_ALLOCATION_ALL_SMALL;
    draw(&rows, &study, 0, 63);
    for (uint32_t v = 0; v < SITES; v++) CHECK_NUMBER(7, rows.row[v]);
    study.allocation.mode = STUDY_ALLOCATION_PREFIX;
    draw(&rows, &study, 0, 63);
    for (uint32_t v = 0; v < SITES; v++) CHECK_NUMBER(prefix[v], rows.row[v]);
    study = study_of(STUDY_ALLOCATION_EXCLUSIVE, &lists[4], 3);
    draw(&rows, &study, 0, 63);
    for (uint32_t v = 0; v < SITES; v++) CHECK_NUMBER(v % 2 == 0 ? 0xfff : 0, rows.row[v]);
    CHECK_NUMBER(1 + 4 + 16, rows.sharers);
    draw(&rows, &study, 0, 63 - 1); /* two that could are left */
    for (uint32_t v = 0; v < SITES; v++) CHECK_NUMBER(0, rows.row[v]);
}

static bool same(const struct rows *a, const struct rows *b)
{
    return memcmp(a->row, b->row, sizeof a->row) == 0;
}

static void study_step_and_cohort_decide_and_nothing_else(void)
{
    struct study study = study_of(STUDY_ALLOCATION_PRIVATE, &paper_list, 3), other = study;
    struct rows rows, again;
    draw(&rows, &study, 5, 63);
    other.rounds.count = 7;
    draw(&again, &other, 5, 63);
    CHECK(same(&rows, &again));
    draw(&again, &study, 6, 63);
    CHECK(!same(&rows, &again));
    number(&other, 1);
    draw(&again, &other, 5, 63);
    CHECK(!same(&rows, &again));
    draw(&rows, &study, 5, 63 - 8);
    CHECK_NUMBER(0, rows.row[3]);
    draw(&again, &study, 5, 63 - 16);
    CHECK_NUMBER(0, again.row[4]);
}

/* What sites of one study have to agree on, whatever they run. */
static void the_draw_stays_what_it_is(void)
{
    static const uint32_t want[2][SITES] = {{4095, 4061, 3261, 3347, 848, 1288},
                                            {4095, 3067, 3757, 1366, 338, 1029}};
    struct study study = study_of(STUDY_ALLOCATION_PAPER, &paper_list, 1);
    for (uint32_t i = 0; i < 2; i++) {
        struct rows rows;
        study.allocation.mode = i == 0 ? STUDY_ALLOCATION_PAPER : STUDY_ALLOCATION_PRIVATE;
        draw(&rows, &study, 3, 63);
        for (uint32_t v = 0; v < SITES; v++) CHECK_NUMBER(want[i][v], rows.row[v]);
    }
}

static void blocks_are_told_by_their_names(void)
{
    CHECK_NUMBER(0, allocate_block("block1"));
    CHECK_NUMBER(23, allocate_block("block24"));
    CHECK_NUMBER(LAYOUT_NONE, allocate_block("embed"));
    CHECK_NUMBER(LAYOUT_NONE, allocate_block("head"));
    const struct layout layout = {.n_segments = 4,
                                  .segment = {"embed", "block1", "block2", "head"}};
    CHECK_NUMBER(2, allocate_blocks(&layout));
}

static void memory_may_end_anywhere(void)
{
    const struct study study = study_of(STUDY_ALLOCATION_PRIVATE, &paper_list, 3);
    AUTO(bits_free) struct bits sites = {0};
    CHECK_OK(bits_new(&sites, SITES));
    bits_fill(&sites);
    OOM_EACH {
        AUTO(allocation_free) struct allocation allocation = {0};
        const enum status status = allocate_of(&allocation, &study, BLOCKS, 0, &sites);
        oom_stop();
        if (status == STATUS_OK) continue;
        CHECK_STATUS(STATUS_NOMEM, status);
        CHECK(allocation.n == 0 && allocation.sharer.word == NULL);
    }
}

int main(void)
{
    RUN(each_site_gets_as_many_blocks_as_it_can_hold);
    RUN(balanced_columns_differ_by_one_at_most_and_none_is_thin);
    RUN(each_row_alone_is_a_uniform_subset);
    RUN(dynamic_capacities_are_drawn_evenly);
    RUN(repair_leaves_no_block_empty);
    RUN(what_was_given_out_least_comes_first_step_after_step);
    RUN(a_block_of_too_few_is_served_to_nobody);
    RUN(what_it_is_compared_with_is_plain);
    RUN(study_step_and_cohort_decide_and_nothing_else);
    RUN(the_draw_stays_what_it_is);
    RUN(blocks_are_told_by_their_names);
    RUN(memory_may_end_anywhere);
    return check_done();
}
