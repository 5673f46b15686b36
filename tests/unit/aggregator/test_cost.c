/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/cost.h"

#include "aggregator/prune.h"
#include "crypto/rng.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"

#define MOST 1024

struct desk {
    struct study study;
    struct layout layout;
    struct schedule schedule;
    struct bits all;
};

static void desk_free(struct desk *desk)
{
    bits_free(&desk->all);
}

static void desk_set(struct desk *desk, enum study_pruning mode)
{
    struct settings_error why = {0};
    small_study(&desk->study, STUDY_SITE, MODEL_MLP);
    desk->study.pruning.mode = mode;
    CHECK_OK(layout_of(&desk->layout, &desk->study.model.spec));
    CHECK_OK(schedule_of(&desk->schedule, &desk->study, &desk->layout, 5, &why));
    bits_free(&desk->all);
    CHECK_OK(bits_new(&desk->all, desk->layout.n));
    bits_fill(&desk->all);
}

/* 64-12-12-3; each segment carries one word more. */
static void the_whole_model_is_computed_and_sent_without_pruning(void)
{
    AUTO(desk_free) struct desk desk = {0};
    desk_set(&desk, STUDY_PRUNING_NONE);
    struct cost whole = {0}, planned = {0};
    bool exact = false;
    CHECK_OK(cost_of(&whole, &desk.schedule, &desk.all, 0));
    CHECK_NUMBER(64 * 12 + 12 * 12 + 12 * 3, whole.macs);
    CHECK_NUMBER(4 * (12 * 65 + 1 + 12 * 13 + 1 + 3 * 13 + 1), whole.bytes);
    CHECK_OK(cost_planned(&planned, &exact, &desk.schedule));
    CHECK(exact && planned.macs == whole.macs && planned.bytes == whole.bytes);
}

/* What is kept by guidance that nobody foresaw. */
static void prune(struct cost *out, const struct desk *desk, uint64_t seed)
{
    float guidance[MOST], weight[MOST];
    struct rng rng = {0};
    rng_numbered(&rng, seed);
    for (size_t i = 0; i < MOST; i++) {
        guidance[i] = (float)rng_unit(&rng);
        weight[i] = (float)rng_normal(&rng);
    }
    AUTO(bits_free) struct bits keep = {0};
    CHECK_OK(prune_keep(&keep, &desk->study, &desk->layout, guidance, weight));
    CHECK_OK(cost_of(out, &desk->schedule, &keep, 0));
}

/* Half of the units; of 384 and of 36 weights a fifth, rounded down. */
static void shares_of_layers_say_exactly_what_stays(void)
{
    AUTO(desk_free) struct desk desk = {0};
    desk_set(&desk, STUDY_PRUNING_PRIVATE);
    struct cost planned = {0}, kept = {0};
    bool exact = false;
    CHECK_OK(cost_planned(&planned, &exact, &desk.schedule));
    CHECK(exact);
    CHECK_NUMBER(64 * 6 + 6 * 6 + 6 * 3, planned.macs);
    CHECK_NUMBER(4 * (6 * 65 - 76 + 1 + 6 * 7 - 7 + 1 + 3 * 7 + 1), planned.bytes);
    for (uint64_t seed = 0; seed < 5; seed++) {
        prune(&kept, &desk, seed);
        CHECK(kept.macs == planned.macs && kept.bytes == planned.bytes);
    }
}

static void a_quantile_of_all_layers_says_at_most_what_stays(void)
{
    AUTO(desk_free) struct desk desk = {0};
    desk_set(&desk, STUDY_PRUNING_PAPER);
    struct cost planned = {0}, kept = {0};
    bool exact = true;
    CHECK_OK(cost_planned(&planned, &exact, &desk.schedule));
    CHECK(!exact);
    CHECK_NUMBER(64 * 6 + 6 * 6 + 6 * 3, planned.macs);
    CHECK_NUMBER(4 * (6 * 65 + 1 + 6 * 7 + 1 + 3 * 7 + 1), planned.bytes);
    for (uint64_t seed = 0; seed < 5; seed++) {
        prune(&kept, &desk, seed);
        CHECK(kept.macs <= planned.macs && kept.bytes < planned.bytes);
    }
    desk.study.pruning.weights = 0;
    CHECK_OK(cost_planned(&planned, &exact, &desk.schedule));
    prune(&kept, &desk, 5);
    CHECK(exact && kept.macs == planned.macs && kept.bytes == planned.bytes);
}

static void a_share_is_rounded_up(void)
{
    CHECK_CLOSE(50, cost_percent(1, 2), 1e-9);
    CHECK_CLOSE(33.4, cost_percent(1, 3), 1e-9);
    CHECK_CLOSE(100, cost_percent(999999, 1000000), 1e-9);
}

static void what_fails_says_nothing(void)
{
    AUTO(desk_free) struct desk desk = {0};
    desk_set(&desk, STUDY_PRUNING_PRIVATE);
    AUTO(bits_free) struct bits none = {0};
    CHECK_OK(bits_new(&none, desk.layout.n));
    struct cost cost = {.macs = 77, .bytes = 78};
    CHECK_STATUS(STATUS_RANGE, cost_of(&cost, &desk.schedule, &none, 0));
    CHECK(cost.macs == 77 && cost.bytes == 78);
    OOM_EACH {
        struct cost out = {.macs = 77, .bytes = 78};
        bool exact = false;
        const enum status status = cost_planned(&out, &exact, &desk.schedule);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((out.macs == 77 && out.bytes == 78 && !exact) == (status != STATUS_OK));
    }
}

int main(void)
{
    RUN(the_whole_model_is_computed_and_sent_without_pruning);
    RUN(shares_of_layers_say_exactly_what_stays);
    RUN(a_quantile_of_all_layers_says_at_most_what_stays);
    RUN(a_share_is_rounded_up);
    RUN(what_fails_says_nothing);
    return check_done();
}
