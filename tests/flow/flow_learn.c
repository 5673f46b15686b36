/* SPDX-License-Identifier: Apache-2.0 */
/* Whole little studies through the shipping state machines, and beside them the same learning in
 * plain float loops: one process, no sockets. */
#include <math.h>
#include <string.h>

#include "client/model/loss.h"
#include "tests/flow/reference.h"
#include "tests/flow/school.h"
#include "tests/lib/check.h"
#include "tests/lib/small.h"

static double distance(const struct reference *r, const struct course *course)
{
    double most = 0;
    for (size_t i = 0; i < course->layout.n; i++)
        most = fmax(most, fabs((double)r->state.weight[i] - (double)course->state.weight[i]));
    return most;
}

/* Each contribution is off by at most half a grid unit in a coordinate, so the mean is, and one
 * step moves a weight by at most rate / (1 - momentum) times that. Steps add up, and weights that
 * are off give gradients that are off: a factor of 2 pays for that in these few rounds. By chance a
 * coordinate is off by half a unit's deviation, and of the mean of five, turned or not, by less
 * than two units with a chance of 1e-18. */
static double rounding(const struct school *school)
{
    const struct study *study = &school->study;
    const double units = study->privacy.rounding == GRID_STOCHASTIC ? 2 : 0.5;
    const double step = units / school->arena.round.plan.grid.scale * study->rounds.learning_rate /
                        (1 - study->rounds.momentum);
    return 1e-5 + step * (school->course.trained == 1 ? 1 : 2.0 * school->course.trained);
}

/* By chance one of two units that are worth nearly the same is pruned and not the other. */
static void follow(struct reference *r, const struct state *state)
{
    bits_free(&r->state.keep);
    CHECK_OK(bits_copy(&r->state.keep, &state->keep));
    memcpy(r->state.weight, state->weight, state->keep.n * sizeof *state->weight);
}

/* The kept coordinates that the last round was about, by what was public when it began. */
static void look_up(struct bits *about, const struct school *school, const struct bits *keep)
{
    const struct layout *layout = &school->course.layout;
    const struct plan *plan = &school->arena.round.plan;
    CHECK_OK(bits_new(about, layout->n));
    for (uint32_t l = 0; l < schedule_layers(plan); l++) {
        const uint32_t s = schedule_layer(layout, plan, l);
        const uint64_t first = layout_segment_first(layout, s);
        struct pick pick;
        schedule_pick(&pick, plan, l, layout_segment_size(layout, s, keep),
                      &school->arena.round.roster_hash);
        for (uint64_t i = first; i < first + layout_segment_size(layout, s, NULL); i++)
            if (bits_has(keep, i) && pick_next(&pick)) bits_set(about, i);
    }
}

/* Run both; in training round `bad`, the sites of `lost` drop out. */
static void compare(const struct study *study, uint32_t bad, uint32_t lost)
{
    AUTO(school_close) struct school school = {0};
    AUTO(reference_close) struct reference reference = {0};
    school_open(&school, study);
    const struct dataset *data[SCHOOL_SITES];
    for (size_t v = 0; v < SCHOOL_SITES; v++) data[v] = &school.desk[v].local.data;
    reference_open(&reference, study, data);
    if (study->pruning.mode != STUDY_PRUNING_NONE) {
        school_round(&school, 0);
        reference_explore(&reference);
        if (study->privacy.rounding == GRID_STOCHASTIC) follow(&reference, &school.course.state);
        CHECK(bits_equal(&reference.state.keep, &school.course.state.keep));
        CHECK(bits_count(&reference.state.keep) < school.course.layout.n);
    }
    double start[REFERENCE_MOST], moved = 0;
    for (size_t i = 0; i < school.course.layout.n; i++)
        start[i] = (double)school.course.state.weight[i];
    /* All contributions are within the clip, of those that the divisor counts. */
    const double rate = study->privacy.adaptive_clip ? study->privacy.clip_rate : 0;
    double fallen = 0;
    while (!course_done(&school.course)) {
        const uint32_t now = school.course.trained == bad ? lost : 0;
        const double present = SCHOOL_SITES - __builtin_popcount(now);
        school_round(&school, now);
        AUTO(bits_free) struct bits about = {0};
        look_up(&about, &school, &reference.state.keep);
        reference_train(&reference, &about, now);
        CHECK(distance(&reference, &school.course) <= rounding(&school));
        fallen += rate * (study->privacy.unit == STUDY_SITE ? 1 : present / SCHOOL_SITES) / 2;
        CHECK_CLOSE(rate > 0 ? study->privacy.clip * exp(-fallen) : 0, school.course.state.clip,
                    1e-6);
    }
    for (size_t i = 0; i < school.course.layout.n; i++)
        moved = fmax(moved, fabs((double)school.course.state.weight[i] - start[i]));
    CHECK(moved > 5 * rounding(&school));
    for (uint32_t v = 0; v < SCHOOL_SITES; v++)
        CHECK(hash_equal(&school.arena.session[0].transcript, &school.arena.session[v].transcript));
}

/* In mode paper the quantile is high, where squares are large against the grid; further down it is
 * the grid that decides which of the smallest are zero. */
static void compare_modes(enum study_unit unit, enum model_kind kind, enum study_pruning mode)
{
    struct study study;
    small_study(&study, unit, kind);
    study.pruning.mode = mode;
    if (mode == STUDY_PRUNING_PAPER) study.pruning.weights = 0.85;
    compare(&study, 0, 0);
}

static void patients_private_equals_the_plain_loop(void)
{
    compare_modes(STUDY_PATIENT, MODEL_MLP, STUDY_PRUNING_PRIVATE);
}

static void patients_paper_equals_the_plain_loop(void)
{
    compare_modes(STUDY_PATIENT, MODEL_MLP, STUDY_PRUNING_PAPER);
}

static void sites_private_equals_the_plain_loop(void)
{
    compare_modes(STUDY_SITE, MODEL_MLP, STUDY_PRUNING_PRIVATE);
}

static void sites_paper_equals_the_plain_loop(void)
{
    compare_modes(STUDY_SITE, MODEL_MLP, STUDY_PRUNING_PAPER);
}

static void a_cnn_equals_the_plain_loop(void)
{
    compare_modes(STUDY_PATIENT, MODEL_CNN, STUDY_PRUNING_PRIVATE);
}

/* In 16 bits, too: the updates are quantised, and the rounding says by how much. */
static void an_lstm_equals_the_plain_loop(void)
{
    for (unsigned form = 0; form < 4; form++) {
        struct study study;
        small_study(&study, (form & 1) != 0 ? STUDY_SITE : STUDY_PATIENT, MODEL_LSTM);
        if ((form & 2) != 0) study.secagg.bits = 16;
        compare(&study, 9, 0);
    }
}

static void transformers_equal_the_plain_loop(void)
{
    for (unsigned form = 0; form < 4; form++) {
        struct study study;
        small_study(&study, (form & 1) != 0 ? STUDY_SITE : STUDY_PATIENT,
                    (form & 2) != 0 ? MODEL_MIXER : MODEL_VIT);
        compare(&study, 9, 0);
    }
}

static void a_site_that_drops_out_of_a_round_comes_back(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        struct study study;
        small_study(&study, unit, MODEL_MLP);
        compare(&study, 1, 4);
    }
}

static void a_clip_that_adapts_follows_what_the_sites_count(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        struct study study;
        small_study(&study, unit, MODEL_MLP);
        school_adapt(&study);
        compare(&study, 1, 4);
    }
}

static void turned_and_rounded_by_chance_in_18_bits_equals_the_plain_loop(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        struct study study;
        school_narrow(&study, unit);
        compare(&study, 1, 4);
        school_adapt(&study);
        compare(&study, 1, 4);
    }
}

/* A share of the coordinates in each round, another in the next. */
static void random_k_equals_the_plain_loop_at_what_was_picked(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        struct study study;
        small_study(&study, unit, MODEL_MLP);
        study.rounds.coordinates = 0.1;
        compare(&study, 1, 4);
        study.rounds.coordinates = 0.5;
        school_adapt(&study);
        compare(&study, 1, 4);
        school_narrow(&study, unit);
        study.rounds.coordinates = 0.5;
        compare(&study, 1, 4);
    }
}

/* With a classifier behind each block, as DepthFL has them. */
static void exits_equal_the_plain_loop(void)
{
    for (unsigned form = 0; form < 4; form++) {
        struct study study;
        small_study(&study, (form & 1) != 0 ? STUDY_SITE : STUDY_PATIENT,
                    (form & 2) != 0 ? MODEL_MIXER : MODEL_VIT);
        study.model.spec.exits = true;
        study.privacy.clip *= 16; /* that nothing reaches */
        compare(&study, 9, 0);
    }
}

/* Share of one site's records that the model gets right after all rounds of a study. */
static double learnt(const struct study *study)
{
    AUTO(school_close) struct school school = {0};
    school_open(&school, study);
    while (!course_done(&school.course)) school_round(&school, 0);
    struct local *local = &school.desk[0].local;
    CHECK_OK(local_load(local, &school.course.state));
    for (size_t r = 0; r < local->data.n; r++) local->pick[r] = (uint32_t)r;
    const float *logits = local_forward(local, &local->data, local->pick, local->data.n);
    return (double)loss_hits(logits, local->label, local->data.n, study->model.spec.classes) /
           (double)local->data.n;
}

/* A share of the coordinates, and the sum of five sites in a byte for each. */
static void the_baselines_learn(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    study.pruning.mode = STUDY_PRUNING_NONE;
    study.rounds.count = 1;
    study.rounds.learning_rate = 1e-9;
    CHECK(learnt(&study) < 0.6); /* nothing, that is */
    study.rounds.count = 12;
    study.rounds.learning_rate = 1;
    CHECK(learnt(&study) > 0.9);
    study.privacy.rounding = GRID_STOCHASTIC;
    study.privacy.rotation = STUDY_ROTATION_HADAMARD;
    study.secagg.bits = 8;
    CHECK(learnt(&study) > 0.9);
    study.rounds.coordinates = 0.25;
    CHECK(learnt(&study) > 0.9);
    study.secagg.bits = 32;
    CHECK(learnt(&study) > 0.9);
}

int main(void)
{
    RUN(patients_private_equals_the_plain_loop);
    RUN(sites_private_equals_the_plain_loop);
    RUN(patients_paper_equals_the_plain_loop);
    RUN(sites_paper_equals_the_plain_loop);
    RUN(a_cnn_equals_the_plain_loop);
    RUN(an_lstm_equals_the_plain_loop);
    RUN(transformers_equal_the_plain_loop);
    RUN(a_site_that_drops_out_of_a_round_comes_back);
    RUN(a_clip_that_adapts_follows_what_the_sites_count);
    RUN(turned_and_rounded_by_chance_in_18_bits_equals_the_plain_loop);
    RUN(random_k_equals_the_plain_loop_at_what_was_picked);
    RUN(exits_equal_the_plain_loop);
    RUN(the_baselines_learn);
    return check_done();
}
