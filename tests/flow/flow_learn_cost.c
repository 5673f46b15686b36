/* SPDX-License-Identifier: Apache-2.0 */
/* What whole little studies cost by a second reckoning, and what their sites say they spent. */
#include <math.h>

#include "tests/flow/school.h"
#include "tests/lib/check.h"
#include "tests/lib/small.h"

/* What one release costs, from the study's numbers and dp/SPEC.md's formulas alone; counted: with
 * the clip bit whose noise is so many contributions. */
static void charge(struct account *account, const struct study *study, double z, double clip,
                   uint64_t dim, double counted)
{
    const double root = sqrt((double)dim);
    double scale = 0x1p-20;
    while (scale * clip < 100 * root) scale *= 2;
    double bound = floor(pow(scale * clip + root / 2, 2) * (1 - 1e-12));
    if (counted > 0) {
        const double rho = pow(z / (2 * counted), 2);
        bound += pow(ceil(sqrt(bound * rho / (1 - rho))), 2);
    }
    const double honest = study->sites.threshold - study->sites.colluding;
    const struct release release = {
        .norm2 = (uint64_t)bound,
        .sigma = (uint32_t)ceil(z * sqrt(bound / honest) * (1 + 1e-9)),
        .n_shares = (uint32_t)honest,
        .dim = dim + (counted > 0 ? 1 : 0),
        .sampling = study->privacy.unit == STUDY_PATIENT ? study->privacy.sampling : 1};
    CHECK_OK(account_add(account, &release, 1));
}

static void a_noisy_study_costs_its_epsilon(double counted)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        struct study study;
        small_study(&study, unit, MODEL_MLP);
        if (counted > 0) school_adapt(&study);
        study.privacy.clip_count_noise = counted;
        study.privacy.epsilon = 5;
        study.privacy.exploration_ratio = 0.5;
        if (unit == STUDY_PATIENT) study.privacy.sampling = 0.25;
        struct settings_error why = {0};
        CHECK_OK(study_check(&study, &why));
        AUTO(school_close) struct school school = {0};
        school_open(&school, &study);
        struct account account = {0};
        const double z = school.course.schedule.z;
        charge(&account, &study, z / 2, study.privacy.exploration_clip,
               layout_units(&school.course.layout), 0);
        while (!course_done(&school.course)) {
            school_round(&school, school.course.trained == 1 ? 2 : 0);
            CHECK(school.arena.round.plan.grid.sigma > 0);
            if (!course_done(&school.course))
                charge(&account, &study, z, schedule_clip(&study, school.course.state.clip),
                       bits_count(&school.course.state.keep), counted);
        }
        const double epsilon = account_epsilon(&account, study.privacy.delta);
        CHECK(epsilon <= 5);
        CHECK(epsilon > 0.99 * 5);
        for (uint32_t v = 0; v < SCHOOL_SITES; v++) {
            const double spent = account_epsilon(&school.desk[v].spent, study.privacy.delta);
            if (v == 1)
                CHECK(spent < epsilon); /* it sat one round out */
            else
                CHECK_CLOSE(epsilon, spent, 1e-9);
        }
    }
}

static void with_noise_a_study_costs_its_epsilon(void)
{
    a_noisy_study_costs_its_epsilon(0);
}

static void what_is_counted_costs_no_more(void)
{
    a_noisy_study_costs_its_epsilon(4);
}

static void in_18_bits_a_study_costs_its_epsilon_too(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        struct study study;
        school_narrow(&study, unit);
        study.privacy.epsilon = 5;
        if (unit == STUDY_PATIENT) study.privacy.sampling = 0.25;
        AUTO(school_close) struct school school = {0};
        school_open(&school, &study);
        while (!course_done(&school.course)) {
            school_round(&school, 0);
            const struct grid *grid = &school.arena.round.plan.grid;
            CHECK(grid->bits == 18 && grid->sigma > 0 && grid->norm2 < UINT64_C(1) << 32);
        }
        const double spent = account_epsilon(&school.desk[0].spent, study.privacy.delta);
        CHECK(spent <= 5 && spent > 0.99 * 5);
    }
}

int main(void)
{
    RUN(with_noise_a_study_costs_its_epsilon);
    RUN(what_is_counted_costs_no_more);
    RUN(in_18_bits_a_study_costs_its_epsilon_too);
    return check_done();
}
