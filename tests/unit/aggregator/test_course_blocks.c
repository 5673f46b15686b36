/* SPDX-License-Identifier: Apache-2.0 */
/* Merging blocks that not every site holds, beside a plain loop over sites and blocks: equal to a
 * relative 1e-6, for the order in which floats are multiplied differs. */
#include "aggregator/course.h"

#include <math.h>
#include <string.h>

#include "protocol/allocate.h"
#include "tests/lib/check.h"
#include "tests/lib/small.h"

enum { SITES = 6, DEPTH = 12, MOST = 1000, STEPS = 4 };

static struct settings_error said;

/* What a site puts in at a coordinate, in grid units. */
static int32_t input(uint32_t site, uint32_t step, size_t i)
{
    return (int32_t)((i * 37 + site * 101 + step * 53) % 2001) - 1000;
}

static void start(struct course *course, const struct study *study)
{
    AUTO(state_free) struct state state = {0};
    small_state(&state, study, false);
    CHECK_OK(course_new(course, study, SITES, state.weight, &said));
}

static bool survives(uint32_t lost, uint32_t site)
{
    return (lost >> site & 1) == 0;
}

/* The round of the course's next plan, done by all but the sites of the bit mask `lost`. */
static void finish(struct round *round, const struct course *course, uint32_t lost)
{
    AUTO(bits_free) struct bits cohort = {0};
    CHECK_OK(bits_new(&cohort, SITES));
    bits_fill(&cohort);
    *round = (struct round){.phase = PHASE_DONE};
    CHECK_OK(course_plan(&round->plan, course, &cohort));
    CHECK_OK(bits_new(&round->survivors, SITES));
    for (uint32_t v = 0; v < SITES; v++)
        if (survives(lost, v)) bits_set(&round->survivors, v);
    const struct plan *plan = &round->plan;
    CHECK_OK(bits_new(&round->opened_set, plan->n_segments));
    for (uint32_t l = 0; l < plan->n_segments; l++) {
        const struct segment *segment = &plan->segment[l];
        if (bits_common(&segment->members, &round->survivors) < plan->params.m + plan->params.c)
            continue;
        bits_set(&round->opened_set, l);
        CHECK_OK(opened_new(&round->opened[l], segment->dim));
        const uint32_t s = schedule_layer(&course->layout, plan, l);
        const size_t first = layout_segment_first(&course->layout, s);
        for (uint32_t v = 0; v < SITES; v++)
            for (size_t i = 0; i < segment->dim && survives(lost, v); i++)
                if (bits_has(&segment->members, v))
                    round->opened[l].value[i] += (uint32_t)input(v, course->trained, first + i);
    }
}

/* FedRA's merge with heavy ball, site by site: block by block the mean over those who held it. */
struct plain {
    double weight[MOST], velocity[MOST];
};

static void merge(struct plain *p, const struct course *course, uint32_t lost, double scale)
{
    const struct study *study = course->study;
    const bool patient = study->privacy.unit == STUDY_PATIENT;
    AUTO(bits_free) struct bits cohort = {0};
    CHECK_OK(bits_new(&cohort, SITES));
    bits_fill(&cohort);
    AUTO(allocation_free) struct allocation given = {0};
    CHECK_OK(allocate_of(&given, study, DEPTH, course->trained, &cohort));
    for (uint32_t t = 0; t < course->layout.n_tensors; t++) {
        const struct tensor *tensor = &course->layout.tensor[t];
        const uint32_t b = allocate_block(course->layout.segment[tensor->segment]);
        const struct bits *holders = b == LAYOUT_NONE ? &given.sharer : &given.holder[b];
        uint32_t there = 0;
        for (uint32_t v = 0; v < SITES; v++) there += survives(lost, v) && bits_has(holders, v);
        if (there < 3) continue;
        const double by = patient ? study->privacy.sampling * study->privacy.records *
                                        (double)bits_count(holders) / SITES
                                  : there;
        const size_t end = tensor->offset + (size_t)tensor->rows * tensor->cols;
        for (size_t i = tensor->offset; i < end; i++) {
            double sum = 0;
            for (uint32_t v = 0; v < SITES; v++)
                if (survives(lost, v) && bits_has(holders, v)) sum += input(v, course->trained, i);
            p->velocity[i] = study->rounds.momentum * p->velocity[i] + sum / scale / by;
            p->weight[i] += study->rounds.learning_rate *
                            (1 - study->rounds.decay * course->trained / study->rounds.count) *
                            p->velocity[i];
        }
    }
}

static void blocks_are_merged_over_the_survivors_who_held_them(void)
{
    static const uint32_t lost[STEPS] = {0, 1, 32, 0};
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++)
        for (enum study_allocation mode = STUDY_ALLOCATION_PAPER; mode <= STUDY_ALLOCATION_PREFIX;
             mode++) {
            struct study study;
            small_allocation(&study, unit, mode);
            study.rounds.count = STEPS;
            AUTO(course_free) struct course course = {0};
            start(&course, &study);
            struct plain plain = {{0}, {0}};
            for (size_t i = 0; i < course.layout.n; i++)
                plain.weight[i] = (double)course.state.weight[i];
            for (uint32_t step = 0; step < STEPS; step++) {
                AUTO(round_free) struct round round = {0};
                finish(&round, &course, lost[step]);
                merge(&plain, &course, lost[step], round.plan.grid.scale);
                CHECK_OK(course_apply(&course, &round));
                double off = 0;
                for (size_t i = 0; i < course.layout.n; i++)
                    off = fmax(off, fabs((double)course.state.weight[i] - plain.weight[i]) /
                                        (1 + fabs(plain.weight[i])));
                CHECK(off < 1e-6);
            }
            CHECK(course_done(&course));
        }
}

/* A block that was not served, or of which too few survived, keeps its bytes and its momentum. */
static void what_is_empty_or_sealed_keeps_its_bytes(void)
{
    struct study study;
    small_allocation(&study, STUDY_SITE, STUDY_ALLOCATION_PAPER);
    study.rounds.count = 20;
    AUTO(course_free) struct course course = {0};
    start(&course, &study);
    uint32_t empty = 0, sealed = 0, moved = 0;
    for (uint32_t step = 0; step < 20; step++) {
        AUTO(round_free) struct round round = {0};
        finish(&round, &course, step % 2 == 0 ? 0 : 1u << step / 2 % SITES);
        float weight[MOST], velocity[MOST];
        const size_t bytes = course.layout.n * sizeof *weight;
        memcpy(weight, course.state.weight, bytes);
        memcpy(velocity, course.velocity, bytes);
        CHECK_OK(course_apply(&course, &round));
        for (uint32_t s = 0; s < course.layout.n_segments; s++) {
            uint32_t l = 0;
            while (l < round.plan.n_segments && schedule_layer(&course.layout, &round.plan, l) != s)
                l++;
            const size_t at = layout_segment_first(&course.layout, s);
            const size_t size = layout_segment_size(&course.layout, s, NULL) * sizeof *weight;
            const bool same = memcmp(weight + at, course.state.weight + at, size) == 0 &&
                              memcmp(velocity + at, course.velocity + at, size) == 0;
            CHECK(same == !bits_has(&round.opened_set, l));
            empty += l == round.plan.n_segments;
            sealed += l < round.plan.n_segments && same;
            moved += !same;
        }
    }
    CHECK(empty > 0 && sealed > 0 && moved > 100);
}

/* Where more holders are wanted than the protocol's minimum, a mean of fewer is made smaller. */
static void mode_private_divides_by_no_fewer_than_min_holders(void)
{
    struct study study;
    small_allocation(&study, STUDY_SITE, STUDY_ALLOCATION_PRIVATE);
    study.allocation.min_holders = 4;
    AUTO(course_free) struct course course = {0};
    start(&course, &study);
    AUTO(round_free) struct round round = {0};
    finish(&round, &course, 2); /* site 1 */
    uint32_t thin = 0;
    for (uint32_t l = 0; l < round.plan.n_segments; l++) {
        const size_t left = bits_common(&round.plan.segment[l].members, &round.survivors);
        const bool shared = bits_count(&round.plan.segment[l].members) == SITES;
        thin += left == 3;
        CHECK(shared || (left >= 3 && left <= 5));
        CHECK_CLOSE(left < 4 ? 4 : (double)left, course_divisor(&study, &round, l), 0);
        study.allocation.mode = STUDY_ALLOCATION_PAPER;
        CHECK_CLOSE((double)left, course_divisor(&study, &round, l), 0);
        study.allocation.mode = STUDY_ALLOCATION_PRIVATE;
    }
    CHECK(thin > 0);
}

int main(void)
{
    RUN(blocks_are_merged_over_the_survivors_who_held_them);
    RUN(what_is_empty_or_sealed_keeps_its_bytes);
    RUN(mode_private_divides_by_no_fewer_than_min_holders);
    return check_done();
}
