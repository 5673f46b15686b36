/* SPDX-License-Identifier: Apache-2.0 */
#include "client/explore.h"

#include <math.h>

#include "tests/lib/check.h"
#include "tests/lib/plain.h"
#include "tests/lib/small.h"
#include "tests/unit/client/world.h"

enum { MOST = 2000 };

static void run(struct encoded *out, struct world *w)
{
    struct rng rng = {0};
    rng_numbered(&rng, 3);
    encoded_free(out);
    CHECK_OK(explore_run(out, &w->local, &w->plan, &rng));
}

static void a_unit_sums_the_squares_of_its_weights_and_bias(void)
{
    for (enum model_kind kind = MODEL_MLP; kind <= MODEL_CNN; kind++) {
        struct study study;
        small_study(&study, STUDY_PATIENT, kind);
        struct layout layout = {0};
        CHECK_OK(layout_of(&layout, &study.model.spec));
        AUTO(state_free) struct state state = {0};
        small_state(&state, &study, false);
        float got[64];
        explore_units(got, &layout, state.weight);
        /* Layer l is tensors 2l and 2l + 1; its units follow those of the layers before. */
        size_t unit = 0;
        for (uint32_t l = 0; l < 2; l++) {
            const struct tensor *weight = &layout.tensor[2 * l];
            for (size_t r = 0; r < weight->rows; r++) {
                double want = pow((double)state.weight[weight[1].offset + r], 2);
                for (size_t c = 0; c < weight->cols; c++)
                    want += pow((double)state.weight[weight->offset + r * weight->cols + c], 2);
                CHECK_CLOSE(want, (double)got[unit++], 1e-5 * (1 + want));
            }
        }
        CHECK_NUMBER(unit, layout_units(&layout));
    }
}

/* Squares of a vector as the mode sends them. */
static void square(float *out, const struct world *w, const float *value)
{
    if (w->study.pruning.mode == STUDY_PRUNING_PRIVATE)
        explore_units(out, &w->layout, value);
    else
        for (size_t i = 0; i < w->layout.n; i++) out[i] = value[i] * value[i];
}

/* Beside the plain model: each rounded contribution is within one half of a grid unit of it, and a
 * little for the order of additions. */
static void sums_are_those_of_the_plain_model(void)
{
    for (unsigned form = 0; form < 8; form++) {
        const enum study_unit unit = (form & 1) != 0 ? STUDY_SITE : STUDY_PATIENT;
        AUTO(world_close) struct world w = {0};
        world_open(&w, unit, (form & 2) != 0 ? MODEL_CNN : MODEL_MLP, STEP_EXPLORE,
                   (form & 4) != 0 ? STUDY_PRUNING_PAPER : STUDY_PRUNING_PRIVATE,
                   unit == STUDY_SITE ? 0.5 : 16);
        AUTO(encoded_free) struct encoded sum = {0};
        run(&sum, &w);
        CHECK_NUMBER((form & 4) != 0 ? w.layout.n : layout_units(&w.layout), sum.n);
        AUTO(plain_close) struct plain plain = {0};
        plain_open(&plain, &w.study);
        double want[MOST] = {0};
        float part[MOST];
        struct rng rng = {0};
        rng_numbered(&rng, 3);
        const size_t contributions = unit == STUDY_SITE ? 1 : WORLD_RECORDS;
        for (size_t r = 0; r < contributions; r++) {
            if (unit == STUDY_SITE)
                plain_epochs(&plain, w.state.weight, &w.state.keep, &w.local.data, 0, &rng);
            else
                plain_gradient(&plain, w.state.weight, &w.local.data, r);
            square(part, &w, plain.grad);
            for (size_t i = 0; i < sum.n; i++) want[i] += (double)part[i] * w.plan.grid.scale;
        }
        double off = 0;
        for (size_t i = 0; i < sum.n; i++)
            off = fmax(off, (fabs(want[i] - sum.value[i]) - 1e-4 * want[i]));
        CHECK(off <= 0.501 * (double)contributions);
        CHECK(world_norm2(&sum, NULL) > w.plan.grid.norm2 / 10000);
    }
}

static void one_record_more_or_less_changes_the_sum_by_no_more_than_its_bound(void)
{
    for (unsigned form = 0; form < 4; form++) {
        uint64_t most = 0, bound = 0;
        for (size_t record = 0; record < WORLD_RECORDS; record += 7) {
            AUTO(world_close) struct world w = {0};
            /* So tight that every record is clipped. */
            world_open(&w, STUDY_PATIENT, (form & 1) != 0 ? MODEL_CNN : MODEL_MLP, STEP_EXPLORE,
                       (form & 2) != 0 ? STUDY_PRUNING_PAPER : STUDY_PRUNING_PRIVATE, 1e-3);
            AUTO(encoded_free) struct encoded with = {0}, without = {0};
            run(&with, &w);
            world_forget(&w, record);
            run(&without, &w);
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
    for (unsigned form = 0; form < 4; form++) {
        AUTO(world_close) struct world w = {0};
        world_open(&w, STUDY_SITE, (form & 1) != 0 ? MODEL_CNN : MODEL_MLP, STEP_EXPLORE,
                   (form & 2) != 0 ? STUDY_PRUNING_PAPER : STUDY_PRUNING_PRIVATE, 1e-5);
        AUTO(encoded_free) struct encoded sum = {0};
        run(&sum, &w);
        CHECK(world_norm2(&sum, NULL) <= w.plan.grid.norm2);
        CHECK((double)world_norm2(&sum, NULL) > 0.9 * (double)w.plan.grid.norm2);
    }
}

static void a_pruned_model_is_not_explored(void)
{
    AUTO(world_close) struct world w = {0};
    world_open(&w, STUDY_PATIENT, MODEL_MLP, STEP_EXPLORE, STUDY_PRUNING_PRIVATE, 1);
    AUTO(state_free) struct state pruned = {0};
    small_state(&pruned, &w.study, true);
    CHECK_OK(local_load(&w.local, &pruned));
    struct rng rng = {0};
    rng_numbered(&rng, 3);
    struct encoded sum = {0};
    CHECK_STATUS(STATUS_RANGE, explore_run(&sum, &w.local, &w.plan, &rng));
    CHECK(sum.value == NULL);
}

static void memory_may_end_anywhere(void)
{
    world_starve(STEP_EXPLORE, explore_run);
}

int main(void)
{
    RUN(a_unit_sums_the_squares_of_its_weights_and_bias);
    RUN(sums_are_those_of_the_plain_model);
    RUN(one_record_more_or_less_changes_the_sum_by_no_more_than_its_bound);
    RUN(a_site_is_one_contribution_within_the_bound);
    RUN(a_pruned_model_is_not_explored);
    RUN(memory_may_end_anywhere);
    return check_done();
}
