/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/aggregator/tutor.h"

#include "crypto/rng.h"
#include "tests/lib/check.h"

void tutor_weights(float weight[static TUTOR_MOST])
{
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    for (size_t i = 0; i < TUTOR_MOST; i++) weight[i] = (float)rng_normal(&rng);
}

void tutor_start(struct course *course, const struct study *study)
{
    float weight[TUTOR_MOST];
    tutor_weights(weight);
    struct settings_error why = {0};
    CHECK_OK(course_new(course, study, TUTOR_SITES, weight, &why));
}

void tutor_finish(struct round *round, const struct course *course, size_t survivors, int32_t unit)
{
    AUTO(bits_free) struct bits cohort = {0};
    CHECK_OK(bits_new(&cohort, TUTOR_SITES));
    bits_fill(&cohort);
    round_free(round);
    *round = (struct round){.phase = PHASE_DONE};
    CHECK_OK(course_plan(&round->plan, course, &cohort));
    CHECK_OK(bits_new(&round->survivors, TUTOR_SITES));
    for (size_t v = 0; v < survivors; v++) bits_set(&round->survivors, v);
    CHECK_OK(bits_new(&round->opened_set, round->plan.n_segments));
    bits_fill(&round->opened_set);
    int32_t i = 1;
    for (uint32_t l = 0; l < round->plan.n_segments; l++) {
        CHECK_OK(opened_new(&round->opened[l], round->plan.segment[l].dim));
        for (size_t k = 0; k < round->opened[l].n; k++)
            round->opened[l].value[k] = (uint32_t)(i++ * unit);
    }
}

void tutor_apply(struct course *course, int32_t unit)
{
    AUTO(round_free) struct round round = {0};
    tutor_finish(&round, course, TUTOR_SITES, unit);
    CHECK_OK(course_apply(course, &round));
}
