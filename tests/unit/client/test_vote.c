/* SPDX-License-Identifier: Apache-2.0 */
#include "client/vote.h"

#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/client/world.h"

enum { UNITS = 24 };

static void open_world(struct world *w, enum study_unit unit, enum study_score score)
{
    world_open(w, unit, MODEL_MLP, STEP_VOTE, STUDY_PRUNING_PRIVATE, 1);
    w->study.pruning.score = score;
    CHECK_NUMBER(UNITS, layout_units(&w->layout));
}

static void votes_are_about_the_median_of_the_layer(void)
{
    static const struct {
        uint32_t n;
        float score[4];
        float vote[4];
    } row[] = {
        {1, {5}, {0}},
        {2, {5, 3}, {1, -1}},
        {3, {9, -1, 2}, {1, -1, 0}},
        {4, {4, 1, 3, 2}, {1, -1, 1, -1}},
        {4, {7, 7, 7, 7}, {0, 0, 0, 0}},
        {4, {7, 7, 7, 1}, {0, 0, 0, -1}},
        {4, {0, 1e30F, -1e30F, 2}, {-1, 1, -1, 1}},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        /* The second layer is above the first, and has a median of its own. */
        const struct layout layout = {.n_groups = 2, .group_units = {row[i].n, row[i].n}};
        float score[8], sorted[8];
        for (size_t k = 0; k < row[i].n; k++) {
            score[k] = row[i].score[k];
            score[row[i].n + k] = row[i].score[k] * 2;
        }
        vote_of(score, sorted, &layout);
        for (size_t k = 0; k < 2 * row[i].n; k++) CHECK(score[k] == row[i].vote[k % row[i].n]);
    }
}

static void whatever_the_scores_a_vote_is_a_vote(void)
{
    const struct layout layout = {.n_groups = 1, .group_units = {4}};
    const float nasty[] = {(float)NAN, (float)INFINITY, -(float)INFINITY, 0, 3e38F};
    for (unsigned form = 0; form < 625; form++) {
        float score[4], sorted[4];
        for (unsigned k = 0, rest = form; k < 4; k++, rest /= 5) score[k] = nasty[rest % 5];
        vote_of(score, sorted, &layout);
        for (size_t k = 0; k < 4; k++) CHECK(score[k] == 1 || score[k] == 0 || score[k] == -1);
    }
}

/* In whatever place it stands: an order of all scores, or qsort may do anything. */
static void what_is_no_number_is_sorted_below_all_numbers(void)
{
    const struct layout layout = {.n_groups = 1, .group_units = {5}};
    for (unsigned place = 0; place < 5; place++) {
        float score[5], sorted[5];
        for (unsigned k = 0; k < 5; k++) score[k] = (float)((k + 5 - place) % 5);
        for (unsigned k = 0; k < 5; k++) score[k] = 5 - score[k];
        score[place] = (float)NAN;
        vote_of(score, sorted, &layout);
        CHECK(isnan(sorted[0]));
        for (unsigned k = 1; k < 5; k++) CHECK(sorted[k] == (float)k);
        for (unsigned k = 0; k < 5; k++) {
            const unsigned rank =
                (k + 5 - place) % 5; /* 0: no number; else its score is 5 - rank */
            const float vote = rank == 0 || rank == 3 ? 0 : rank < 3 ? 1 : -1;
            CHECK(score[k] == vote);
        }
    }
}

/* Whole votes on the grid: every coordinate is a multiple of its step. */
static void a_site_casts_one_vote(void)
{
    for (enum study_score score = 0; score <= STUDY_SCORE_AGREEMENT; score++) {
        AUTO(world_close) struct world w = {0};
        open_world(&w, STUDY_SITE, score);
        AUTO(encoded_free) struct encoded sum = {0};
        world_run(&sum, &w, vote_run);
        CHECK_NUMBER(UNITS, sum.n);
        int total = 0;
        for (size_t u = 0; u < UNITS; u++) {
            const double vote = sum.value[u] / w.plan.grid.scale;
            CHECK(vote == 1 || vote == -1);
            total += (int)vote;
        }
        CHECK_NUMBER(0, total); /* as many above as below */
        CHECK(world_norm2(&sum, NULL) <= w.plan.grid.norm2);
    }
}

static void a_record_moves_the_sum_by_one_vote(void)
{
    for (enum study_score score = 0; score <= STUDY_SCORE_AGREEMENT; score++)
        for (size_t record = 0; record < WORLD_RECORDS; record += 11) {
            AUTO(world_close) struct world w = {0};
            open_world(&w, STUDY_PATIENT, score);
            AUTO(encoded_free) struct encoded with = {0}, without = {0};
            world_run(&with, &w, vote_run);
            world_forget(&w, record);
            world_run(&without, &w, vote_run);
            const uint64_t change = world_norm2(&with, &without);
            CHECK(change > 0 && change <= w.plan.grid.norm2);
            CHECK((double)change <= UNITS * w.plan.grid.scale * w.plan.grid.scale);
        }
}

/* Votes of the studies' own scores: who moves most is voted up. */
static void a_vote_follows_the_scores(void)
{
    AUTO(world_close) struct world w = {0};
    open_world(&w, STUDY_SITE, STUDY_SCORE_SQUARED);
    AUTO(encoded_free) struct encoded sum = {0};
    world_run(&sum, &w, vote_run);
    float score[UNITS] = {0};
    for (uint32_t t = 0; t < 4; t++) {
        const struct tensor *tensor = &w.layout.tensor[t];
        for (size_t i = 0; i < (size_t)tensor->rows * tensor->cols; i++)
            score[(t / 2) * 12 + i / tensor->cols] += powf(w.local.grad[tensor->offset + i], 2);
    }
    for (size_t u = 0; u < UNITS; u++)
        for (size_t v = u / 12 * 12; v < u / 12 * 12 + 12; v++)
            CHECK(sum.value[u] <= sum.value[v] || score[u] > score[v]);
}

static void a_pruned_model_is_not_voted_on(void)
{
    world_prune(STEP_VOTE, vote_run);
}

static void memory_may_end_anywhere(void)
{
    world_starve(STEP_VOTE, vote_run);
}

int main(void)
{
    RUN(votes_are_about_the_median_of_the_layer);
    RUN(whatever_the_scores_a_vote_is_a_vote);
    RUN(what_is_no_number_is_sorted_below_all_numbers);
    RUN(a_site_casts_one_vote);
    RUN(a_record_moves_the_sum_by_one_vote);
    RUN(a_vote_follows_the_scores);
    RUN(a_pruned_model_is_not_voted_on);
    RUN(memory_may_end_anywhere);
    return check_done();
}
