/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/evaluation.h"

#include <math.h>

#include "crypto/rng.h"
#include "tests/lib/check.h"

enum { SITES = 5, CLASSES = 3, CELLS = 2 * CLASSES };

/* A round that opened these counts, in steps of 64. */
static void open_round(struct round *round, const int32_t *count, uint32_t sigma, size_t survivors)
{
    *round = (struct round){.phase = PHASE_DONE,
                            .plan = {.step = STEP_EVALUATE,
                                     .n_segments = 1,
                                     .segment = {{.dim = CELLS}},
                                     .grid = {.scale = 64, .sigma = sigma, .bits = 32}}};
    CHECK_OK(bits_new(&round->survivors, SITES));
    for (size_t v = 0; v < survivors; v++) bits_set(&round->survivors, v);
    CHECK_OK(bits_new(&round->opened_set, 1));
    bits_fill(&round->opened_set);
    CHECK_OK(opened_new(&round->opened[0], CELLS));
    for (size_t i = 0; i < CELLS; i++) round->opened[0].value[i] = (uint32_t)(64 * count[i]);
}

static struct evaluation evaluate(const int32_t *count, uint32_t sigma, size_t survivors)
{
    AUTO(round_free) struct round round = {0};
    open_round(&round, count, sigma, survivors);
    struct evaluation e = {0};
    CHECK_OK(evaluation_of(&e, &round));
    return e;
}

static void counts_become_shares(void)
{
    static const int32_t count[CELLS] = {90, 30, 0, 10, 10, 60};
    const struct evaluation e = evaluate(count, 0, SITES);
    CHECK_NUMBER(CLASSES, e.classes);
    CHECK_CLOSE(200, evaluation_seen(&e), 0);
    CHECK_CLOSE(0.6, evaluation_accuracy(&e).value, 1e-12);
    CHECK_CLOSE(0.9, evaluation_recall(&e, 0).value, 1e-12);
    CHECK_CLOSE(0.75, evaluation_recall(&e, 1).value, 1e-12);
    CHECK_CLOSE(0, evaluation_recall(&e, 2).value, 0);
    CHECK_CLOSE(0.55, evaluation_balanced(&e).value, 1e-12);
    CHECK_CLOSE(0, evaluation_accuracy(&e).error, 0);
    CHECK_CLOSE(0, evaluation_balanced(&e).error, 0);
}

static void noise_is_that_of_all_survivors_in_records(void)
{
    static const int32_t count[CELLS] = {900, 300, 500, 100, 100, 600};
    CHECK_CLOSE(3.0 * sqrt(5), evaluate(count, 3 * 64, 5).noise, 1e-9);
    CHECK_CLOSE(3.0 * sqrt(4), evaluate(count, 3 * 64, 4).noise, 1e-9);
}

/* Noise drawn many times around the same counts: estimates scatter as their errors say. With 4000
 * draws the ratio of deviations is within 7 % of 1 but for a chance below 1e-8, and the first-order
 * error is good to 2 % here. */
static void errors_are_those_of_the_noise(void)
{
    enum { DRAWS = 4000, KINDS = 3 };
    static const double truth[CELLS] = {900, 300, 500, 100, 100, 600};
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    double sum[KINDS] = {0}, squares[KINDS] = {0}, error[KINDS] = {0};
    for (size_t draw = 0; draw < DRAWS; draw++) {
        struct evaluation e = {.classes = CLASSES, .noise = 12};
        for (size_t c = 0; c < CLASSES; c++) {
            e.right[c] = truth[c] + 12 * rng_normal(&rng);
            e.wrong[c] = truth[CLASSES + c] + 12 * rng_normal(&rng);
        }
        const struct estimate got[KINDS] = {evaluation_accuracy(&e), evaluation_recall(&e, 1),
                                            evaluation_balanced(&e)};
        for (size_t k = 0; k < KINDS; k++) {
            sum[k] += got[k].value;
            squares[k] += got[k].value * got[k].value;
            error[k] += got[k].error / DRAWS;
        }
    }
    static const double want[KINDS] = {1700.0 / 2500, 0.75, (0.9 + 0.75 + 500.0 / 1100) / 3};
    for (size_t k = 0; k < KINDS; k++) {
        const double mean = sum[k] / DRAWS;
        const double deviation = sqrt(squares[k] / DRAWS - mean * mean);
        CHECK_CLOSE(want[k], mean, 6 * deviation / sqrt(DRAWS) + 1e-3);
        CHECK_CLOSE(1, error[k] / deviation, 0.09);
    }
}

static void what_noise_covers_is_not_estimated(void)
{
    /* The third class has too few; noise 2 a count, so a class needs 8 * 2 sqrt(2) = 22.6. */
    static const int32_t count[CELLS] = {90, 30, 10, 10, 10, 12};
    const struct evaluation e = evaluate(count, 64, 4);
    CHECK(isnan(evaluation_recall(&e, 2).value) && isnan(evaluation_recall(&e, 2).error));
    CHECK(isnan(evaluation_balanced(&e).value) && isnan(evaluation_balanced(&e).error));
    CHECK(!isnan(evaluation_recall(&e, 1).value) && !isnan(evaluation_accuracy(&e).value));
    static const int32_t nothing[CELLS] = {0};
    const struct evaluation none = evaluate(nothing, 0, 5);
    CHECK(isnan(evaluation_accuracy(&none).value) && isnan(evaluation_recall(&none, 0).value));
    static const int32_t negative[CELLS] = {-90, -30, -10, -10, -10, -12};
    const struct evaluation below = evaluate(negative, 0, 5);
    CHECK(isnan(evaluation_accuracy(&below).value));
}

static void shares_stay_between_nothing_and_all(void)
{
    static const int32_t count[CELLS] = {90, -3, 10, -2, 60, 12};
    const struct evaluation e = evaluate(count, 0, 4);
    CHECK_CLOSE(1, evaluation_recall(&e, 0).value, 0);
    CHECK_CLOSE(0, evaluation_recall(&e, 1).value, 0);
}

static void what_is_no_opened_evaluation_is_refused(void)
{
    static const int32_t count[CELLS] = {90, 30, 10, 10, 10, 12};
    AUTO(round_free) struct round round = {0};
    open_round(&round, count, 0, 4);
    struct evaluation e = {.classes = 77};
    round.phase = PHASE_FAILED;
    CHECK_STATUS(STATUS_RANGE, evaluation_of(&e, &round));
    round.phase = PHASE_DONE;
    round.plan.step = STEP_TRAIN;
    CHECK_STATUS(STATUS_RANGE, evaluation_of(&e, &round));
    round.plan.step = STEP_EVALUATE;
    round.plan.segment[0].dim = 2 * EVALUATION_CLASSES_MAX + 2;
    CHECK_STATUS(STATUS_RANGE, evaluation_of(&e, &round));
    round.plan.segment[0].dim = CELLS;
    bits_clear(&round.opened_set, 0);
    CHECK_STATUS(STATUS_RANGE, evaluation_of(&e, &round));
    CHECK_NUMBER(77, e.classes);
}

int main(void)
{
    RUN(counts_become_shares);
    RUN(noise_is_that_of_all_survivors_in_records);
    RUN(errors_are_those_of_the_noise);
    RUN(what_noise_covers_is_not_estimated);
    RUN(shares_stay_between_nothing_and_all);
    RUN(what_is_no_opened_evaluation_is_refused);
    return check_done();
}
