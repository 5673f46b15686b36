/* SPDX-License-Identifier: Apache-2.0 */
#include "client/explore.h"

#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/plain.h"
#include "tests/unit/client/world.h"

enum { MOST = 2000 };

static void world_of(struct world *w, unsigned form, enum study_score score, double clip)
{
    world_open(w, (form & 1) != 0 ? STUDY_SITE : STUDY_PATIENT,
               (form & 2) != 0 ? MODEL_CNN : MODEL_MLP, STEP_EXPLORE,
               (form & 4) != 0 ? STUDY_PRUNING_PAPER : STUDY_PRUNING_PRIVATE, clip);
    w->study.pruning.score = score;
}

/* One score by its formula, over n pairs of weight and x. */
static double formula(enum study_score score, size_t n, const float *weight, const float *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double w = (double)weight[i], d = (double)x[i];
        if (score == STUDY_SCORE_SQUARED || score == STUDY_SCORE_GRADIENT) sum += d * d;
        if (score == STUDY_SCORE_SNIP) sum += fabs(w * d);
        if (score == STUDY_SCORE_TAYLOR) sum += w * d;
        if (score == STUDY_SCORE_AGREEMENT) sum += d;
    }
    return score == STUDY_SCORE_TAYLOR ? sum * sum : sum;
}

/* Scores of a vector as the mode sends them. */
static void scores_of(double *out, const struct world *w, const float *x)
{
    const enum study_score score = w->study.pruning.score;
    const float *weight = w->state.weight;
    if (w->study.pruning.mode == STUDY_PRUNING_PAPER) {
        for (size_t i = 0; i < w->layout.n; i++) out[i] = formula(score, 1, weight + i, x + i);
        return;
    }
    /* Layer l is tensors 2l and 2l + 1; its units follow those of the layers before. */
    for (uint32_t l = 0; l < 2; l++) {
        const struct tensor *matrix = &w->layout.tensor[2 * l];
        for (size_t r = 0; r < matrix->rows; r++) {
            float both[2][MOST];
            const float *from[2] = {weight, x};
            for (size_t k = 0; k < 2; k++) {
                memcpy(both[k], from[k] + matrix->offset + r * matrix->cols,
                       matrix->cols * sizeof **both);
                both[k][matrix->cols] = from[k][matrix[1].offset + r];
            }
            *out++ = formula(score, matrix->cols + 1, both[0], both[1]);
        }
    }
}

static void a_score_is_its_formula(void)
{
    for (unsigned form = 0; form < 8; form++)
        for (enum study_score score = 0; score <= STUDY_SCORE_AGREEMENT; score++) {
            AUTO(world_close) struct world w = {0};
            world_of(&w, form, score, 1);
            float x[MOST], term[MOST], got[MOST];
            double want[MOST];
            struct rng rng = {0};
            rng_numbered(&rng, 4);
            for (size_t i = 0; i < w.layout.n; i++) x[i] = (float)rng_normal(&rng);
            explore_score(got, term, &w.layout, &w.study, w.state.weight, x);
            scores_of(want, &w, x);
            const size_t n = (form & 4) != 0 ? w.layout.n : layout_units(&w.layout);
            double off = 0;
            for (size_t i = 0; i < n; i++)
                off = fmax(off, fabs(want[i] - (double)got[i]) / (1 + fabs(want[i])));
            CHECK(off < 1e-5);
        }
}

/* Beside the plain model: each rounded contribution is within one half of a grid unit of it, and a
 * little for the order of additions. */
static void sums_are_those_of_the_plain_model(void)
{
    for (unsigned form = 0; form < 8; form++)
        for (enum study_score score = 0; score <= STUDY_SCORE_AGREEMENT; score++) {
            const bool site = (form & 1) != 0;
            AUTO(world_close) struct world w = {0};
            /* So wide that nothing is clipped, so narrow that the grid is fine enough. */
            world_of(&w, form, score, site ? 2.5 : 16);
            AUTO(encoded_free) struct encoded sum = {0};
            world_run(&sum, &w, explore_run);
            CHECK_NUMBER((form & 4) != 0 ? w.layout.n : layout_units(&w.layout), sum.n);
            AUTO(plain_close) struct plain plain = {0};
            plain_open(&plain, &w.study);
            double want[MOST] = {0}, size[MOST] = {0}, part[MOST];
            float mean[MOST] = {0};
            struct rng rng = {0};
            rng_numbered(&rng, 3);
            const bool epochs = site && score != STUDY_SCORE_GRADIENT;
            for (size_t r = 0; r < (epochs ? 1 : WORLD_RECORDS); r++) {
                if (epochs)
                    plain_epochs(&plain, w.state.weight, &w.state.keep, &w.local.data, 0, &rng);
                else
                    plain_gradient(&plain, w.state.weight, &w.local.data, r);
                for (size_t i = 0; i < w.layout.n; i++) {
                    if (!epochs) plain.grad[i] = -plain.grad[i]; /* where the loss falls */
                    mean[i] += plain.grad[i] / WORLD_RECORDS;
                }
                if (site && !epochs && r + 1 < WORLD_RECORDS) continue;
                scores_of(part, &w, site && !epochs ? mean : plain.grad);
                for (size_t i = 0; i < sum.n; i++) {
                    want[i] += part[i] * w.plan.grid.scale;
                    size[i] += fabs(part[i]) * w.plan.grid.scale;
                }
            }
            double off = 0;
            for (size_t i = 0; i < sum.n; i++)
                off = fmax(off, fabs(want[i] - sum.value[i]) - 1e-4 * size[i]);
            /* What a signed sum of floats loses where it cancels, too. */
            const double loss = score == STUDY_SCORE_AGREEMENT || score == STUDY_SCORE_TAYLOR
                                    ? 1e-5 * w.plan.grid.scale
                                    : 0;
            CHECK(off <= (0.501 + loss) * (site ? 1 : WORLD_RECORDS));
            CHECK(score == STUDY_SCORE_TAYLOR || world_norm2(&sum, NULL) > 0);
        }
}

static void one_record_more_or_less_changes_the_sum_by_no_more_than_its_bound(void)
{
    for (unsigned form = 0; form < 8; form += 2)
        for (enum study_score score = 0; score <= STUDY_SCORE_AGREEMENT; score++) {
            uint64_t most = 0, bound = 0;
            for (size_t record = 0; record < WORLD_RECORDS; record += 11) {
                AUTO(world_close) struct world w = {0};
                /* So tight that every record is clipped. */
                world_of(&w, form, score, 1e-7);
                AUTO(encoded_free) struct encoded with = {0}, without = {0};
                world_run(&with, &w, explore_run);
                world_forget(&w, record);
                world_run(&without, &w, explore_run);
                const uint64_t change = world_norm2(&with, &without);
                bound = w.plan.grid.norm2;
                most = change > most ? change : most;
            }
            CHECK(most <= bound);
            CHECK((double)most > 0.9 * (double)bound);
        }
}

static void a_site_is_one_contribution_within_the_bound(void)
{
    for (unsigned form = 1; form < 8; form += 2)
        for (enum study_score score = 0; score <= STUDY_SCORE_AGREEMENT; score++) {
            AUTO(world_close) struct world w = {0};
            world_of(&w, form, score, 1e-7);
            AUTO(encoded_free) struct encoded sum = {0};
            world_run(&sum, &w, explore_run);
            CHECK(world_norm2(&sum, NULL) <= w.plan.grid.norm2);
            CHECK((double)world_norm2(&sum, NULL) > 0.9 * (double)w.plan.grid.norm2);
        }
}

static void a_pruned_model_is_not_explored(void)
{
    world_prune(STEP_EXPLORE, explore_run);
}

static void memory_may_end_anywhere(void)
{
    world_starve(STEP_EXPLORE, explore_run);
}

int main(void)
{
    RUN(a_score_is_its_formula);
    RUN(sums_are_those_of_the_plain_model);
    RUN(one_record_more_or_less_changes_the_sum_by_no_more_than_its_bound);
    RUN(a_site_is_one_contribution_within_the_bound);
    RUN(a_pruned_model_is_not_explored);
    RUN(memory_may_end_anywhere);
    return check_done();
}
