/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/protocol/desk.h"

#include "tests/lib/check.h"
#include "tests/lib/small.h"

static struct settings_error said;

void desk_close(struct desk *desk)
{
    bits_free(&desk->keep);
    bits_free(&desk->cohort);
}

void desk_open(struct desk *desk, enum study_unit unit, enum study_pruning mode, double epsilon)
{
    *desk = (struct desk){0};
    small_study(&desk->study, unit, MODEL_MLP);
    desk->study.pruning.mode = mode;
    desk->study.privacy.epsilon = epsilon;
    desk->study.rounds.count = 20;
    desk->study.deadlines.release_ms = 100;
    if (unit == STUDY_PATIENT) desk->study.privacy.sampling = 0.1;
    CHECK_OK(layout_of(&desk->layout, &desk->study.model.spec));
    CHECK_OK(schedule_of(&desk->schedule, &desk->study, &desk->layout, DESK_SITES, &said));
    CHECK_OK(bits_new(&desk->keep, desk->layout.n));
    CHECK_OK(bits_new(&desk->cohort, DESK_SITES));
    bits_fill(&desk->keep);
    bits_fill(&desk->cohort);
}

void desk_open_wide(struct desk *desk)
{
    desk_open(desk, STUDY_SITE, STUDY_PRUNING_PRIVATE, 3);
    desk->study.sites.expected = DESK_WIDE;
    desk->study.sites.colluding = 30;
    desk->study.sites.threshold = 540;
    CHECK_OK(schedule_of(&desk->schedule, &desk->study, &desk->layout, DESK_WIDE, &said));
    bits_free(&desk->cohort);
    CHECK_OK(bits_new(&desk->cohort, DESK_WIDE));
    bits_fill(&desk->cohort);
}

void desk_plan(struct plan *out, const struct desk *desk, enum step step, uint32_t number)
{
    plan_free(out);
    CHECK_OK(
        schedule_plan(out, &desk->schedule, step, number, &desk->keep, desk->clip, &desk->cohort));
}

enum reason desk_check(const struct desk *desk, const struct plan *plan)
{
    return schedule_check(&desk->schedule, plan, &desk->keep, desk->clip);
}
