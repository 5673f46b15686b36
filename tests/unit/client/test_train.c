/* SPDX-License-Identifier: Apache-2.0 */
#include "client/train.h"

#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/plain.h"
#include "tests/unit/client/world.h"

enum { MOST = 2000 };

static const struct hash roster = {.bytes = {1, 2, 3}};

static enum status train(struct encoded *out, struct local *local, const struct plan *plan,
                         struct rng *rng)
{
    return train_run(out, local, plan, &roster, rng);
}

/* Beside the plain model, the kept coordinates of the plan's segments one after the other: within
 * one half of a grid unit for each contribution, and a little for the order of additions. */
static void sums_are_those_of_the_plain_model_segment_after_segment(void)
{
    for (unsigned form = 0; form < 8; form++) {
        const enum study_unit unit = (form & 1) != 0 ? STUDY_SITE : STUDY_PATIENT;
        AUTO(world_close) struct world w = {0};
        world_open(&w, unit, (form & 2) != 0 ? MODEL_CNN : MODEL_MLP, STEP_TRAIN,
                   STUDY_PRUNING_PRIVATE, unit == STUDY_SITE ? 2 : 8);
        if ((form & 4) != 0) world_whole(&w);
        AUTO(encoded_free) struct encoded sum = {0};
        world_run(&sum, &w, train);
        AUTO(plain_close) struct plain plain = {0};
        plain_open(&plain, &w.study);
        double want[MOST] = {0};
        struct rng rng = {0};
        rng_numbered(&rng, 3);
        const size_t contributions = unit == STUDY_SITE ? 1 : WORLD_RECORDS;
        for (size_t r = 0; r < contributions; r++) {
            if (unit == STUDY_SITE)
                plain_epochs(&plain, w.state.weight, &w.state.keep, &w.local.data,
                             w.plan.step_number, &rng);
            else
                plain_gradient(&plain, w.state.weight, &w.local.data, r);
            for (size_t i = 0; i < w.layout.n; i++)
                want[i] += (double)plain.grad[i] * (unit == STUDY_SITE ? 1 : -1);
        }
        double off = 0, most = 0;
        size_t at = 0;
        for (uint32_t l = 0; l < w.plan.n_segments; l++) {
            const struct tensor *weight = &w.layout.tensor[2 * l];
            const size_t before = at;
            for (size_t i = weight->offset; i < weight[1].offset + weight[1].rows; i++) {
                if (!bits_has(&w.state.keep, i)) continue;
                off = fmax(off, fabs(want[i] * w.plan.grid.scale - sum.value[at]));
                most = fmax(most, fabs(want[i] * w.plan.grid.scale));
                at++;
            }
            CHECK_NUMBER(w.plan.segment[l].dim, at - before);
        }
        CHECK_NUMBER(at, sum.n);
        CHECK(off <= 0.501 * (double)contributions + 1e-4 * most);
        CHECK(most > 10);
    }
}

/* A narrow ring, turned and rounded by chance: turned back, the sum is the plain one within what
 * rounding does, and no contribution is larger than its bound. */
static void turned_sums_turn_back_to_the_plain_ones(void)
{
    for (unsigned form = 0; form < 4; form++) {
        const enum study_unit unit = (form & 1) != 0 ? STUDY_SITE : STUDY_PATIENT;
        AUTO(encoded_free) struct encoded plain = {0}, turned = {0};
        float value[MOST];
        double off = 0, most = 0;
        AUTO(world_close) struct world w = {0};
        world_open(&w, unit, MODEL_MLP, STEP_TRAIN, STUDY_PRUNING_PRIVATE, 2);
        if ((form & 2) != 0) world_whole(&w);
        world_run(&plain, &w, train);
        w.study.privacy.rotation = STUDY_ROTATION_HADAMARD;
        w.study.privacy.rounding = GRID_STOCHASTIC;
        world_run(&turned, &w, train);
        CHECK_NUMBER(plain.n, turned.n);
        for (size_t i = 0; i < turned.n; i++) value[i] = (float)turned.value[i];
        float *at = value;
        for (uint32_t l = 0; l < w.plan.n_segments; l++) {
            AUTO(rotate_free) struct rotate rotate = {0};
            CHECK_OK(schedule_rotate(&rotate, &w.plan, l, &roster));
            rotate_back(&rotate, at);
            at += rotate.n;
        }
        for (size_t i = 0; i < plain.n; i++) {
            off = fmax(off, fabs((double)value[i] - plain.value[i]));
            most = fmax(most, fabs((double)plain.value[i]));
        }
        /* 30 contributions, off by at most a unit's deviation of 1/2 each: eight of them. */
        CHECK(off > 0 && off < 8 * sqrt(WORLD_RECORDS) / 2);
        CHECK(most > 20 * off);
        /* The exploration stays as it is. */
        CHECK(!schedule_rotates(&w.study, STEP_EXPLORE));
    }
}

/* Without the first layer at this site: its sum is the other layers of what it would have been. */
static void only_own_segments_are_summed_and_clipped_as_one(void)
{
    for (unsigned form = 0; form < 2; form++) {
        AUTO(world_close) struct world w = {0};
        world_open(&w, STUDY_SITE, MODEL_MLP, STEP_TRAIN, STUDY_PRUNING_PRIVATE,
                   form == 0 ? 2 : 1e-3); /* the second: clipped */
        AUTO(encoded_free) struct encoded all = {0}, own = {0};
        world_run(&all, &w, train);
        w.local.self = 3;
        bits_clear(&w.plan.segment[0].members, 3);
        world_run(&own, &w, train);
        const size_t first = w.plan.segment[0].dim;
        CHECK_NUMBER(schedule_part(&w.plan, 3), own.n);
        CHECK_NUMBER(all.n, own.n + first);
        uint64_t off = 0;
        for (size_t i = 0; i < own.n && form == 0; i++) off += own.value[i] != all.value[first + i];
        CHECK_NUMBER(0, off);
        CHECK(world_norm2(&own, NULL) <= w.plan.grid.norm2);
        if (form == 1) CHECK((double)world_norm2(&own, NULL) > 0.9 * (double)w.plan.grid.norm2);
        for (uint32_t l = 0; l < w.plan.n_segments; l++) bits_clear(&w.plan.segment[l].members, 3);
        struct encoded none = {0};
        struct rng rng = {0};
        rng_numbered(&rng, 3);
        CHECK_STATUS(STATUS_RANGE, train_run(&none, &w.local, &w.plan, &roster, &rng));
        CHECK(none.value == NULL);
    }
}

/* Of a model that is not pruned: the first segments are a part of it, from its beginning on. */
static void own_segments_of_a_whole_model_are_summed_for_each_record(void)
{
    AUTO(world_close) struct world w = {0};
    world_open(&w, STUDY_PATIENT, MODEL_MLP, STEP_TRAIN, STUDY_PRUNING_PRIVATE, 1000);
    world_whole(&w);
    AUTO(encoded_free) struct encoded all = {0}, own = {0};
    world_run(&all, &w, train);
    bits_clear(&w.plan.segment[w.plan.n_segments - 1].members, w.local.self);
    world_run(&own, &w, train);
    CHECK_NUMBER(schedule_part(&w.plan, w.local.self), own.n);
    CHECK(own.n < all.n && memcmp(own.value, all.value, own.n * sizeof *own.value) == 0);
}

static void turned_own_segments_turn_back(void)
{
    AUTO(world_close) struct world w = {0};
    world_open(&w, STUDY_SITE, MODEL_MLP, STEP_TRAIN, STUDY_PRUNING_PRIVATE, 2);
    bits_clear(&w.plan.segment[0].members, 0);
    AUTO(encoded_free) struct encoded plain = {0}, turned = {0};
    world_run(&plain, &w, train);
    w.study.privacy.rotation = STUDY_ROTATION_HADAMARD;
    world_run(&turned, &w, train);
    float value[MOST];
    for (size_t i = 0; i < turned.n; i++) value[i] = (float)turned.value[i];
    size_t at = 0;
    for (uint32_t l = 1; l < w.plan.n_segments; l++) {
        AUTO(rotate_free) struct rotate rotate = {0};
        CHECK_OK(schedule_rotate(&rotate, &w.plan, l, &roster));
        rotate_back(&rotate, value + at);
        at += rotate.n;
    }
    CHECK_NUMBER(plain.n, at);
    double off = 0, most = 0;
    for (size_t i = 0; i < at; i++) {
        off = fmax(off, fabs((double)value[i] - plain.value[i]));
        most = fmax(most, fabs((double)plain.value[i]));
    }
    CHECK(off < 4 && most > 100);
}

/* The share of a sum is the whole sum at the coordinates that were picked, within what two grids
 * round. */
static void a_share_is_of_the_whole_sum(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        AUTO(world_close) struct world w = {0};
        world_open(&w, unit, MODEL_MLP, STEP_TRAIN, STUDY_PRUNING_PRIVATE,
                   unit == STUDY_SITE ? 2 : 8);
        AUTO(encoded_free) struct encoded all = {0}, own = {0};
        world_run(&all, &w, train);
        const double scale = w.plan.grid.scale;
        world_share(&w, 0.3);
        world_run(&own, &w, train);
        double off = 0, most = 0;
        size_t at = 0, from = 0;
        for (uint32_t l = 0; l < w.plan.n_segments; l++) {
            const uint64_t kept = layout_segment_size(&w.layout, l, &w.state.keep);
            struct pick pick;
            schedule_pick(&pick, &w.plan, l, kept, &roster);
            for (uint64_t i = 0; i < kept; i++, from++) {
                if (!pick_next(&pick)) continue;
                const double want = all.value[from] / scale;
                off = fmax(off, fabs(want - own.value[at++] / w.plan.grid.scale));
                most = fmax(most, fabs(want));
            }
        }
        CHECK_NUMBER(at, own.n);
        CHECK_NUMBER(from, all.n);
        CHECK((double)at < 0.31 * (double)from);
        CHECK(off <= WORLD_RECORDS / w.plan.grid.scale && most > 10 * off);
    }
}

/* Of every step-th record, what its being there changes in the sum: no more than the bound, and
 * nearly as much once. prepare changes the plan first, or is NULL. */
static void check_change(enum model_kind kind, double clip, size_t step,
                         void (*prepare)(struct world *), double nearly)
{
    uint64_t most = 0, bound = 0;
    for (size_t record = 0; record < WORLD_RECORDS; record += step) {
        AUTO(world_close) struct world w = {0};
        world_open(&w, STUDY_PATIENT, kind, STEP_TRAIN, STUDY_PRUNING_PRIVATE, clip);
        if (prepare != NULL) prepare(&w);
        AUTO(encoded_free) struct encoded with = {0}, without = {0};
        world_run(&with, &w, train);
        world_forget(&w, record);
        world_run(&without, &w, train);
        const uint64_t change = world_norm2(&with, &without);
        bound = w.plan.grid.norm2;
        most = change > most ? change : most;
    }
    CHECK(most <= bound);
    CHECK((double)most > nearly * (double)bound);
}

static void share(struct world *w)
{
    world_share(w, 0.3);
}

/* The clip is that of what is sent: as long as all of a contribution could be. */
static void a_share_is_clipped_as_what_it_is(void)
{
    check_change(MODEL_MLP, 1e-3, 3, share, 0.9);
}

static void segments_of_another_state_are_refused(void)
{
    AUTO(world_close) struct world w = {0};
    world_open(&w, STUDY_SITE, MODEL_MLP, STEP_TRAIN, STUDY_PRUNING_PRIVATE, 1);
    w.study.privacy.rotation = STUDY_ROTATION_HADAMARD;
    w.plan.segment[1].dim++;
    struct encoded sum = {0};
    struct rng rng = {0};
    rng_numbered(&rng, 3);
    CHECK_STATUS(STATUS_RANGE, train_run(&sum, &w.local, &w.plan, &roster, &rng));
    CHECK(sum.value == NULL && sum.n == 0);
}

/* Every record is clipped, also those of a whole model, which are learnt from in groups. */
static void one_record_more_or_less_changes_the_sum_by_no_more_than_its_bound(void)
{
    check_change(MODEL_MLP, 1e-3, 7, NULL, 0.9);
    check_change(MODEL_CNN, 1e-3, 7, NULL, 0.9);
    check_change(MODEL_MLP, 1e-3, 7, world_whole, 0.9);
    check_change(MODEL_CNN, 1e-3, 7, world_whole, 0.9);
}

/* The last record's coin is the last one drawn, so that the others keep theirs. */
static void a_record_that_is_not_drawn_changes_nothing(void)
{
    size_t drawn = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        AUTO(world_close) struct world w = {0};
        world_open(&w, STUDY_PATIENT, MODEL_MLP, STEP_TRAIN, STUDY_PRUNING_PRIVATE, 1);
        w.plan.sampling = 0.5;
        struct rng rng = {0}, same = {0};
        rng_numbered(&rng, seed);
        rng_numbered(&same, seed);
        AUTO(encoded_free) struct encoded with = {0}, without = {0};
        CHECK_OK(train_run(&with, &w.local, &w.plan, &roster, &rng));
        world_forget(&w, WORLD_RECORDS - 1);
        CHECK_OK(train_run(&without, &w.local, &w.plan, &roster, &same));
        const uint64_t change = world_norm2(&with, &without);
        CHECK(change <= w.plan.grid.norm2);
        drawn += change > 0;
    }
    /* 40 fair coins: fewer than 4 or more than 36 heads have a chance below 1e-6. */
    CHECK(drawn >= 4 && drawn <= 36);
}

static void a_site_is_one_contribution_within_the_bound(void)
{
    for (enum model_kind kind = MODEL_MLP; kind <= MODEL_CNN; kind++) {
        AUTO(world_close) struct world w = {0};
        world_open(&w, STUDY_SITE, kind, STEP_TRAIN, STUDY_PRUNING_PRIVATE, 1e-3);
        AUTO(encoded_free) struct encoded sum = {0};
        world_run(&sum, &w, train);
        CHECK(world_norm2(&sum, NULL) <= w.plan.grid.norm2);
        CHECK((double)world_norm2(&sum, NULL) > 0.9 * (double)w.plan.grid.norm2);
    }
}

static void an_empty_draw_is_a_sum_of_nothing(void)
{
    AUTO(world_close) struct world w = {0};
    world_open(&w, STUDY_PATIENT, MODEL_MLP, STEP_TRAIN, STUDY_PRUNING_PRIVATE, 1);
    w.plan.sampling = 0x1p-60;
    AUTO(encoded_free) struct encoded sum = {0};
    world_run(&sum, &w, train);
    CHECK_NUMBER(bits_count(&w.state.keep), sum.n);
    CHECK_NUMBER(0, world_norm2(&sum, NULL));
}

/* Gradients by the plain loop. */
static void gradient_norms(double *norm, const struct world *w)
{
    AUTO(plain_close) struct plain plain = {0};
    plain_open(&plain, &w->study);
    for (size_t r = 0; r < WORLD_RECORDS; r++) {
        plain_gradient(&plain, w->state.weight, &w->local.data, r);
        double sum = 0;
        for (size_t i = 0; i < w->layout.n; i++)
            if (bits_has(&w->state.keep, i)) sum += pow((double)plain.grad[i], 2);
        norm[r] = sqrt(sum);
    }
}

static void the_last_coordinate_counts_the_records_within_the_clip(void)
{
    AUTO(world_close) struct world w = {0};
    world_open(&w, STUDY_PATIENT, MODEL_MLP, STEP_TRAIN, STUDY_PRUNING_PRIVATE, 8);
    double norm[WORLD_RECORDS];
    gradient_norms(norm, &w);
    for (size_t r = 0; r < WORLD_RECORDS; r += 5) {
        const double clip = norm[r] * (1 + 1e-4);
        int32_t within = 0;
        for (size_t i = 0; i < WORLD_RECORDS; i++) within += norm[i] <= clip ? 1 : -1;
        world_adapt(&w, clip);
        w.plan.grid.norm2 += 7 * 7 - 1; /* as with noise */
        w.plan.clip_bit = 7;
        AUTO(encoded_free) struct encoded sum = {0};
        world_run(&sum, &w, train);
        CHECK_NUMBER(bits_count(&w.state.keep) + 1, sum.n);
        CHECK(sum.value[sum.n - 1] == 7 * within);
        w.plan.grid.cap = 20; /* all coordinates are saturated, this one too */
        world_run(&sum, &w, train);
        CHECK(sum.value[sum.n - 1] == (7 * within > 20 ? 20 : 7 * within < -20 ? -20 : 7 * within));
    }
}

/* All values of all sums are within the clip that was named, not the study's. */
static void the_clip_is_the_state_s(void)
{
    AUTO(world_close) struct world w = {0};
    world_open(&w, STUDY_SITE, MODEL_MLP, STEP_TRAIN, STUDY_PRUNING_PRIVATE, 2);
    AUTO(encoded_free) struct encoded sum = {0};
    world_adapt(&w, 0);
    world_run(&sum, &w, train);
    CHECK(sum.value[sum.n - 1] == 1);
    world_adapt(&w, 0x1p-10);
    world_run(&sum, &w, train);
    CHECK(sum.value[sum.n - 1] == -1);
    const double norm = sqrt((double)world_norm2(&sum, NULL)) / w.plan.grid.scale;
    CHECK_CLOSE(0x1p-10, norm, 0x1p-16);
}

static void count_within(struct world *w)
{
    world_adapt(w, 1e-3);
    const uint32_t bit = (uint32_t)sqrt((double)w->plan.grid.norm2);
    w->plan.grid.norm2 += (uint64_t)bit * bit - 1;
    w->plan.clip_bit = bit;
}

static void one_record_more_or_less_changes_vector_and_count_by_no_more_than_their_bound(void)
{
    check_change(MODEL_MLP, 8, 3, count_within, 0.95);
}

static void memory_may_end_anywhere(void)
{
    world_starve(STEP_TRAIN, train);
}

int main(void)
{
    RUN(sums_are_those_of_the_plain_model_segment_after_segment);
    RUN(turned_sums_turn_back_to_the_plain_ones);
    RUN(only_own_segments_are_summed_and_clipped_as_one);
    RUN(own_segments_of_a_whole_model_are_summed_for_each_record);
    RUN(turned_own_segments_turn_back);
    RUN(a_share_is_of_the_whole_sum);
    RUN(a_share_is_clipped_as_what_it_is);
    RUN(segments_of_another_state_are_refused);
    RUN(one_record_more_or_less_changes_the_sum_by_no_more_than_its_bound);
    RUN(a_record_that_is_not_drawn_changes_nothing);
    RUN(a_site_is_one_contribution_within_the_bound);
    RUN(an_empty_draw_is_a_sum_of_nothing);
    RUN(the_last_coordinate_counts_the_records_within_the_clip);
    RUN(the_clip_is_the_state_s);
    RUN(one_record_more_or_less_changes_vector_and_count_by_no_more_than_their_bound);
    RUN(memory_may_end_anywhere);
    return check_done();
}
