/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/spend.h"

#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"

enum { SITES = 5, COLLUDING = 1 };

static struct settings_error said;

struct world {
    struct study study;
    struct layout layout;
    struct schedule schedule;
    struct bits keep, cohort;
};

static void world_free(struct world *world)
{
    bits_free(&world->keep);
    bits_free(&world->cohort);
}

/* The small study with noise. */
static void world_make(struct world *world, double epsilon)
{
    small_study(&world->study, STUDY_SITE, MODEL_MLP);
    world->study.privacy.epsilon = epsilon;
    CHECK_OK(layout_of(&world->layout, &world->study.model.spec));
    CHECK_OK(schedule_of(&world->schedule, &world->study, &world->layout, SITES, &said));
    CHECK_OK(bits_new(&world->keep, world->layout.n));
    CHECK_OK(bits_new(&world->cohort, SITES));
    bits_fill(&world->keep);
    bits_fill(&world->cohort);
}

static void plan_round(struct plan *plan, const struct world *world)
{
    CHECK_OK(schedule_plan(plan, &world->schedule, STEP_TRAIN, 0, &world->keep, 0, &world->cohort));
}

static double epsilon_of(const struct account *account)
{
    return account_epsilon(account, 1e-5);
}

static void each_adversary_has_a_name(void)
{
    char name[64];
    spend_name(name, sizeof name, ADVERSARY_SERVER, 2);
    CHECK(strcmp(name, "server") == 0);
    spend_name(name, sizeof name, ADVERSARY_COLLUSION, 1);
    CHECK(strcmp(name, "server and 1 site") == 0);
    spend_name(name, sizeof name, ADVERSARY_COLLUSION, 2);
    CHECK(strcmp(name, "server and 2 sites") == 0);
    spend_name(name, sizeof name, ADVERSARY_READER, 2);
    CHECK(strcmp(name, "model reader") == 0);
}

static void a_round_is_one_release_with_the_shares_that_the_adversary_does_not_know(void)
{
    AUTO(world_free) struct world world = {0};
    AUTO(plan_free) struct plan plan = {0};
    world_make(&world, 3);
    plan_round(&plan, &world);
    struct spend spend = {0};
    CHECK_OK(spend_add(&spend, &plan, 4));
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++) {
        const uint32_t shares = who == ADVERSARY_COLLUSION ? 4 - COLLUDING : 4;
        const struct release release = schedule_release(&plan, shares);
        struct account want = {0};
        CHECK_OK(account_add(&want, &release, 1));
        CHECK_CLOSE(epsilon_of(&want), epsilon_of(&spend.happened[who]), 0);
    }
}

static void fewer_survivors_and_more_rounds_cost_more(void)
{
    AUTO(world_free) struct world world = {0};
    AUTO(plan_free) struct plan plan = {0};
    world_make(&world, 3);
    plan_round(&plan, &world);
    struct spend many = {0}, few = {0};
    CHECK_OK(spend_add(&many, &plan, 5));
    CHECK_OK(spend_add(&few, &plan, 4));
    struct spend twice = few;
    CHECK_OK(spend_add(&twice, &plan, 4));
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++) {
        double once = epsilon_of(&few.happened[who]);
        CHECK(epsilon_of(&many.happened[who]) < once);
        CHECK(epsilon_of(&twice.happened[who]) > once);
    }
}

static void the_worst_course_meets_the_study_s_epsilon_against_collusion(void)
{
    AUTO(world_free) struct world world = {0};
    world_make(&world, 3);
    struct account worst[ADVERSARY_COUNT] = {{{0}}};
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++)
        CHECK_OK(spend_worst(&worst[who], &world.schedule, who, &world.keep));
    double epsilon = epsilon_of(&worst[ADVERSARY_COLLUSION]);
    CHECK(epsilon <= 3 && epsilon > 2.9);
    CHECK(epsilon_of(&worst[ADVERSARY_SERVER]) < epsilon);
    CHECK_CLOSE(epsilon_of(&worst[ADVERSARY_SERVER]), epsilon_of(&worst[ADVERSARY_READER]), 0);
}

static void no_course_costs_more_than_the_worst(void)
{
    AUTO(world_free) struct world world = {0};
    world_make(&world, 3);
    struct spend spend = {0};
    const uint32_t quorum = world.schedule.params.quorum;
    for (uint32_t k = 0; k <= world.study.rounds.count; k++) {
        AUTO(plan_free) struct plan plan = {0};
        CHECK_OK(schedule_plan(&plan, &world.schedule, k == 0 ? STEP_EXPLORE : STEP_TRAIN,
                               k == 0 ? 0 : k - 1, &world.keep, 0, &world.cohort));
        CHECK_OK(spend_add(&spend, &plan, quorum));
    }
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++) {
        struct account worst = {0};
        CHECK_OK(spend_worst(&worst, &world.schedule, who, &world.keep));
        CHECK_CLOSE(epsilon_of(&worst), epsilon_of(&spend.happened[who]), 1e-9);
    }
}

static void without_pruning_there_is_no_exploration_to_pay(void)
{
    AUTO(world_free) struct world world = {0};
    world_make(&world, 3);
    struct account with = {0}, without = {0};
    CHECK_OK(spend_worst(&with, &world.schedule, ADVERSARY_SERVER, &world.keep));
    world.study.pruning.mode = STUDY_PRUNING_NONE;
    CHECK_OK(spend_worst(&without, &world.schedule, ADVERSARY_SERVER, &world.keep));
    CHECK(epsilon_of(&without) < epsilon_of(&with));
}

static void without_noise_nothing_is_bounded(void)
{
    AUTO(world_free) struct world world = {0};
    AUTO(plan_free) struct plan plan = {0};
    world_make(&world, (double)INFINITY);
    plan_round(&plan, &world);
    struct spend spend = {0};
    CHECK_OK(spend_add(&spend, &plan, 5));
    CHECK(isinf(epsilon_of(&spend.happened[ADVERSARY_READER])));
}

static void a_round_that_cannot_be_counted_changes_nothing(void)
{
    AUTO(world_free) struct world world = {0};
    AUTO(plan_free) struct plan plan = {0};
    world_make(&world, 3);
    plan_round(&plan, &world);
    struct spend spend = {0};
    CHECK_OK(spend_add(&spend, &plan, 5));
    const struct spend before = spend;
    /* one survivor is one share against the server, and none against it with one site */
    CHECK_STATUS(STATUS_RANGE, spend_add(&spend, &plan, COLLUDING));
    CHECK_BYTES(&before, &spend, sizeof spend);
}

static void running_out_of_memory_changes_nothing(void)
{
    AUTO(world_free) struct world world = {0};
    world_make(&world, 3);
    OOM_EACH {
        struct account account = {{7}};
        enum status status = spend_worst(&account, &world.schedule, ADVERSARY_SERVER, &world.keep);
        oom_stop();
        if (status == STATUS_OK) continue;
        CHECK_STATUS(STATUS_NOMEM, status);
        CHECK_CLOSE(7, account.rdp[0], 0);
    }
}

int main(void)
{
    RUN(each_adversary_has_a_name);
    RUN(a_round_is_one_release_with_the_shares_that_the_adversary_does_not_know);
    RUN(fewer_survivors_and_more_rounds_cost_more);
    RUN(the_worst_course_meets_the_study_s_epsilon_against_collusion);
    RUN(no_course_costs_more_than_the_worst);
    RUN(without_pruning_there_is_no_exploration_to_pay);
    RUN(without_noise_nothing_is_bounded);
    RUN(a_round_that_cannot_be_counted_changes_nothing);
    RUN(running_out_of_memory_changes_nothing);
    return check_done();
}
