/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/spend.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/forget.h"
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

/* The coordinator's ledger of a world. */
static char path[64];
static const struct hash manifest = {{1}};
static const uint8_t identity[SIGN_SEED_BYTES] = {1};

static enum status open_spend(struct spend *spend, const struct world *world, bool begun)
{
    struct ledger_fault fault = {0};
    return spend_open(spend, path, &world->schedule, &manifest, identity, begun, 1, &fault);
}

static enum status reserve(struct spend *spend, const struct world *world, uint32_t round)
{
    AUTO(plan_free) struct plan plan = {0};
    plan_round(&plan, world);
    plan.round = round;
    return spend_reserve(spend, &plan, 2);
}

/* In a ledger of a study with an allocation; the round itself is of all. */
static enum status reserve_allocated(struct spend *spend, struct world *world)
{
    world->study.allocation.mode = STUDY_ALLOCATION_PRIVATE;
    const enum status status = open_spend(spend, world, false);
    world->study.allocation.mode = STUDY_ALLOCATION_NONE;
    TRY(status);
    return reserve(spend, world, 1);
}

static double spent(const struct spend *spend, enum adversary who)
{
    double epsilon = -1;
    CHECK_OK(spend_epsilon(&epsilon, spend, who));
    return epsilon;
}

static double cost_of(const struct world *world, uint32_t shares, uint32_t times)
{
    AUTO(plan_free) struct plan plan = {0};
    plan_round(&plan, world);
    const struct release release = schedule_release(&plan, shares);
    struct account want = {0};
    CHECK_OK(account_add(&want, &release, times));
    return account_epsilon(&want, world->schedule.delta);
}

static double worst_of(const struct world *world, enum adversary who)
{
    double epsilon = -1;
    CHECK_OK(spend_worst(&epsilon, &world->schedule, who, &world->keep));
    return epsilon;
}

static void a_round_costs_each_adversary_what_it_does_not_know(void)
{
    AUTO(world_free) struct world world = {0};
    AUTO(spend_close) struct spend spend = {0};
    forget_db(path);
    world_make(&world, 3);
    CHECK_OK(open_spend(&spend, &world, false));
    CHECK_OK(reserve(&spend, &world, 1));
    const uint32_t fewest = world.schedule.params.quorum;
    CHECK_CLOSE(cost_of(&world, fewest, 1), spent(&spend, ADVERSARY_SERVER), 1e-9);
    CHECK_CLOSE(cost_of(&world, fewest - COLLUDING, 1), spent(&spend, ADVERSARY_COLLUSION), 1e-9);
    CHECK_CLOSE(cost_of(&world, 1, 1), spent(&spend, ADVERSARY_UNMASKED), 1e-9);
    CHECK_OK(spend_end(&spend, 1, SITES, true, 3));
    CHECK_CLOSE(cost_of(&world, SITES, 1), spent(&spend, ADVERSARY_SERVER), 1e-9);
    CHECK_CLOSE(cost_of(&world, SITES, 1), spent(&spend, ADVERSARY_READER), 1e-9);
    CHECK_CLOSE(cost_of(&world, SITES - COLLUDING, 1), spent(&spend, ADVERSARY_COLLUSION), 1e-9);
}

/* A block may have as many certain holders as the whole cohort has, and yet fewer survivors. */
static void where_blocks_are_allocated_a_round_stays_at_its_worst_case(void)
{
    AUTO(world_free) struct world world = {0};
    AUTO(spend_close) struct spend spend = {0};
    forget_db(path);
    world_make(&world, 3);
    CHECK_OK(reserve_allocated(&spend, &world));
    CHECK_OK(spend_end(&spend, 1, SITES, true, 3));
    const uint32_t fewest = world.schedule.params.quorum;
    CHECK_CLOSE(cost_of(&world, fewest, 1), spent(&spend, ADVERSARY_SERVER), 1e-9);
}

/* Whoever survives, what is more than the certain shares is taken away. */
static void removable_noise_counts_for_nobody(void)
{
    AUTO(world_free) struct world world = {0};
    AUTO(spend_close) struct spend spend = {0};
    forget_db(path);
    world_make(&world, 3);
    world.study.privacy.dropouts = STUDY_XNOISE;
    CHECK_OK(open_spend(&spend, &world, false));
    CHECK_OK(reserve(&spend, &world, 1));
    CHECK_OK(spend_end(&spend, 1, SITES, true, 3));
    const double certain = cost_of(&world, world.schedule.params.quorum - COLLUDING, 1);
    CHECK_CLOSE(certain, spent(&spend, ADVERSARY_SERVER), 1e-9);
    CHECK_CLOSE(certain, spent(&spend, ADVERSARY_READER), 1e-9);
    CHECK_CLOSE(certain, spent(&spend, ADVERSARY_COLLUSION), 1e-9);
    CHECK(spent(&spend, ADVERSARY_UNMASKED) > cost_of(&world, 1, 1));
    CHECK_CLOSE(worst_of(&world, ADVERSARY_COLLUSION), worst_of(&world, ADVERSARY_SERVER), 0);
}

static void a_round_that_failed_costs_nothing_without_inputs_and_its_worst_with_some(void)
{
    AUTO(world_free) struct world world = {0};
    AUTO(spend_close) struct spend spend = {0};
    forget_db(path);
    world_make(&world, 3);
    CHECK_OK(open_spend(&spend, &world, false));
    CHECK_OK(reserve(&spend, &world, 1));
    CHECK_OK(spend_end(&spend, 1, 0, false, 3));
    CHECK_CLOSE(0, spent(&spend, ADVERSARY_COLLUSION), 0);
    CHECK_OK(reserve(&spend, &world, 2));
    CHECK_OK(spend_end(&spend, 2, SITES, false, 3));
    const uint32_t worst = world.schedule.params.quorum - COLLUDING;
    CHECK_CLOSE(cost_of(&world, worst, 1), spent(&spend, ADVERSARY_COLLUSION), 1e-9);
    /* what is over, or never was, is left alone */
    const uint64_t entries = spend.ledger.head.n;
    CHECK_OK(spend_end(&spend, 1, SITES, true, 3));
    CHECK_OK(spend_end(&spend, 7, SITES, true, 3));
    CHECK_NUMBER(entries, spend.ledger.head.n);
}

/* It stopped between reserving and telling anybody. */
static void a_plan_that_never_left_is_not_paid_twice(void)
{
    AUTO(world_free) struct world world = {0};
    struct spend spend = {0};
    forget_db(path);
    world_make(&world, 3);
    CHECK_OK(open_spend(&spend, &world, false));
    CHECK_OK(reserve(&spend, &world, 1));
    spend_close(&spend);
    CHECK_OK(open_spend(&spend, &world, false));
    CHECK_OK(reserve(&spend, &world, 1));
    const uint32_t worst = world.schedule.params.quorum - COLLUDING;
    CHECK_CLOSE(cost_of(&world, worst, 1), spent(&spend, ADVERSARY_COLLUSION), 1e-9);
    spend_close(&spend);
}

static void the_study_s_epsilon_is_not_crossed(void)
{
    AUTO(world_free) struct world world = {0};
    AUTO(spend_close) struct spend spend = {0};
    forget_db(path);
    world_make(&world, 3);
    CHECK_OK(open_spend(&spend, &world, false));
    uint32_t round = 1;
    while (round < 50 && reserve(&spend, &world, round) == STATUS_OK) round++;
    CHECK(round > world.study.rounds.count && round < 50);
    CHECK_STATUS(STATUS_BUDGET, reserve(&spend, &world, round));
    CHECK(spent(&spend, ADVERSARY_COLLUSION) <= 3);
}

static void a_lost_ledger_is_not_taken_for_an_empty_one(void)
{
    AUTO(world_free) struct world world = {0};
    struct spend spend = {0};
    forget_db(path);
    world_make(&world, 3);
    CHECK_STATUS(STATUS_STATE, open_spend(&spend, &world, true));
    CHECK(spend.ledger.db == NULL);
    CHECK_OK(open_spend(&spend, &world, false));
    spend_close(&spend);
    CHECK_OK(open_spend(&spend, &world, true));
    spend_close(&spend);
}

static void the_worst_course_meets_the_study_s_epsilon_against_collusion(void)
{
    AUTO(world_free) struct world world = {0};
    world_make(&world, 3);
    const double epsilon = worst_of(&world, ADVERSARY_COLLUSION);
    CHECK(epsilon <= 3 && epsilon > 3 - 1e-5);
    CHECK(worst_of(&world, ADVERSARY_SERVER) < epsilon);
    CHECK_CLOSE(worst_of(&world, ADVERSARY_SERVER), worst_of(&world, ADVERSARY_READER), 0);
}

static void no_course_costs_more_than_the_worst(void)
{
    AUTO(world_free) struct world world = {0};
    world_make(&world, 3);
    struct account sum[ADVERSARY_COUNT] = {{{0}}};
    const uint32_t quorum = world.schedule.params.quorum;
    for (uint32_t k = 0; k <= world.study.rounds.count; k++) {
        AUTO(plan_free) struct plan plan = {0};
        CHECK_OK(schedule_plan(&plan, &world.schedule, k == 0 ? STEP_EXPLORE : STEP_TRAIN,
                               k == 0 ? 0 : k - 1, &world.keep, 0, &world.cohort));
        for (enum adversary who = 0; who < ADVERSARY_COUNT; who++) {
            const struct release certain = schedule_release(&plan, quorum - COLLUDING);
            const struct release release = adversary_release(who, &certain, COLLUDING);
            CHECK_OK(account_add(&sum[who], &release, 1));
        }
    }
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++) {
        const double worst = worst_of(&world, who), cost = epsilon_of(&sum[who]);
        CHECK(worst >= cost && worst <= cost * 1.02);
    }
}

/* What one grid's noise was rounded up by, another's may not be. */
static void no_clip_costs_more_than_the_worst(void)
{
    AUTO(world_free) struct world world = {0};
    world_make(&world, 3);
    world.study.pruning.mode = STUDY_PRUNING_NONE;
    world.study.privacy.adaptive_clip = true;
    world.study.privacy.clip_quantile = 0.5;
    world.study.privacy.clip_rate = 0.2;
    world.study.privacy.clip_count_noise = 20;
    CHECK_OK(schedule_of(&world.schedule, &world.study, &world.layout, SITES, &said));
    double most[ADVERSARY_COUNT] = {0};
    const double first = world.study.privacy.clip;
    for (double clip = first; clip < 2.1 * first; clip *= 1.03) {
        AUTO(plan_free) struct plan plan = {0};
        CHECK_OK(
            schedule_plan(&plan, &world.schedule, STEP_TRAIN, 0, &world.keep, clip, &world.cohort));
        const struct release certain = schedule_release(&plan, schedule_certain(&plan));
        for (enum adversary who = 0; who < ADVERSARY_COUNT; who++) {
            const struct release release = adversary_release(who, &certain, COLLUDING);
            struct account account = {0};
            CHECK_OK(account_add(&account, &release, world.study.rounds.count));
            most[who] = fmax(most[who], epsilon_of(&account));
        }
    }
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++)
        CHECK(worst_of(&world, who) >= most[who]);
}

/* By table: more of delta than was reckoned for the study's epsilon. */
static void a_larger_epsilon_takes_more_of_delta_for_the_sampler(void)
{
    AUTO(world_free) struct world world = {0};
    world_make(&world, 3);
    const double whole = worst_of(&world, ADVERSARY_UNMASKED);
    world.schedule.delta = world.study.privacy.delta * 0.98;
    const double less = worst_of(&world, ADVERSARY_UNMASKED);
    CHECK(less > whole * 1.005 && less < whole * 1.5);
    world.schedule.delta = world.study.privacy.delta / 2;
    CHECK(isinf(worst_of(&world, ADVERSARY_UNMASKED)));
}

static void without_pruning_there_is_no_exploration_to_pay(void)
{
    AUTO(world_free) struct world world = {0};
    world_make(&world, 3);
    const double with = worst_of(&world, ADVERSARY_SERVER);
    world.study.pruning.mode = STUDY_PRUNING_NONE;
    CHECK(worst_of(&world, ADVERSARY_SERVER) < with);
}

static void evaluations_are_paid_too(void)
{
    AUTO(world_free) struct world world = {0};
    world_make(&world, 3);
    const double without = worst_of(&world, ADVERSARY_SERVER);
    world.study.evaluation.mode = STUDY_EVALUATION_PRIVATE;
    world.study.evaluation.every = 1;
    world.study.evaluation.ratio = 1;
    const double with = worst_of(&world, ADVERSARY_SERVER);
    /* as many as there are rounds, with as much noise: no less than twice as many rounds */
    CHECK(with > without);
    world.study.evaluation.mode = STUDY_EVALUATION_NONE;
    world.study.rounds.count *= 2;
    CHECK_CLOSE(worst_of(&world, ADVERSARY_SERVER), with, 1e-6);
}

static void without_noise_nothing_is_bounded_and_nothing_refused(void)
{
    AUTO(world_free) struct world world = {0};
    AUTO(spend_close) struct spend spend = {0};
    forget_db(path);
    world_make(&world, (double)INFINITY);
    CHECK_OK(open_spend(&spend, &world, false));
    CHECK_OK(reserve(&spend, &world, 1));
    CHECK_OK(reserve(&spend, &world, 2));
    CHECK(isinf(spent(&spend, ADVERSARY_READER)));
    CHECK(isinf(worst_of(&world, ADVERSARY_READER)));
}

static void running_out_of_memory_changes_nothing(void)
{
    AUTO(world_free) struct world world = {0};
    world_make(&world, 3);
    OOM_EACH {
        double epsilon = 7;
        enum status status = spend_worst(&epsilon, &world.schedule, ADVERSARY_SERVER, &world.keep);
        oom_stop();
        if (status == STATUS_OK) continue;
        CHECK_STATUS(STATUS_NOMEM, status);
        CHECK_CLOSE(7, epsilon, 0);
    }
}

int main(void)
{
    (void)snprintf(path, sizeof path, "/tmp/veilsum-spend-%ld.db", (long)getpid());
    RUN(a_round_costs_each_adversary_what_it_does_not_know);
    RUN(where_blocks_are_allocated_a_round_stays_at_its_worst_case);
    RUN(removable_noise_counts_for_nobody);
    RUN(a_round_that_failed_costs_nothing_without_inputs_and_its_worst_with_some);
    RUN(a_plan_that_never_left_is_not_paid_twice);
    RUN(the_study_s_epsilon_is_not_crossed);
    RUN(a_lost_ledger_is_not_taken_for_an_empty_one);
    RUN(the_worst_course_meets_the_study_s_epsilon_against_collusion);
    RUN(no_course_costs_more_than_the_worst);
    RUN(no_clip_costs_more_than_the_worst);
    RUN(a_larger_epsilon_takes_more_of_delta_for_the_sampler);
    RUN(without_pruning_there_is_no_exploration_to_pay);
    RUN(evaluations_are_paid_too);
    RUN(without_noise_nothing_is_bounded_and_nothing_refused);
    RUN(running_out_of_memory_changes_nothing);
    forget_db(path);
    return check_done();
}
