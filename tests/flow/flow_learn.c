/* SPDX-License-Identifier: Apache-2.0 */
/* Whole little studies through the shipping state machines, and beside them the same learning in
 * plain float loops: one process, no sockets. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregator/course.h"
#include "aggregator/prune.h"
#include "client/explore.h"
#include "client/submit.h"
#include "client/train.h"
#include "tests/lib/arena.h"
#include "tests/lib/check.h"
#include "tests/lib/plain.h"
#include "tests/lib/small.h"

enum { SITES = 5, RECORDS = 40, MOST = 2000 };

/* What a site has beside its session. */
struct desk {
    const struct study *study;
    const struct layout *layout;
    struct schedule schedule;
    struct local local;
    struct state state;
    struct noised put_in;
    struct account spent; /* worst case, as the site itself reckons */
};

struct school {
    struct study study;
    struct arena arena;
    struct course course;
    struct desk desk[SITES];
    struct bits cohort;
    struct buffer state;   /* of the round in progress */
    struct buffer results; /* of all rounds so far */
    uint32_t n_results;
};

static void school_close(struct school *school)
{
    for (size_t v = 0; v < SITES; v++) {
        local_free(&school->desk[v].local);
        state_free(&school->desk[v].state);
        noised_free(&school->desk[v].put_in);
    }
    arena_close(&school->arena);
    course_free(&school->course);
    bits_free(&school->cohort);
    buffer_free(&school->state);
    buffer_free(&school->results);
}

/* The site's own judgement: the plan is the one that the study and the state ask for. */
static enum reason judge(void *context, const struct plan *plan, struct view bytes)
{
    struct desk *desk = context;
    AUTO(state_free) struct state state = {0};
    if (state_read(&state, bytes, desk->layout->n) != STATUS_OK) return REASON_MODEL;
    enum reason why = schedule_check(&desk->schedule, plan, &state.keep);
    if (why != REASON_NONE) return why;
    state_free(&desk->state);
    desk->state = state;
    state = (struct state){0};
    return REASON_NONE;
}

static void school_open(struct school *school, const struct study *study)
{
    static const uint64_t any[1] = {1}; /* the course makes the plans */
    *school = (struct school){.study = *study};
    arena_open(&school->arena, SITES, 1, 3, 1, any, NULL, 32, 1);
    AUTO(state_free) struct state state = {0};
    small_state(&state, study, false);
    CHECK_OK(course_new(&school->course, &school->study, SITES, state.weight));
    CHECK_OK(bits_new(&school->cohort, SITES));
    bits_fill(&school->cohort);
    for (uint32_t v = 0; v < SITES; v++) {
        struct desk *desk = &school->desk[v];
        desk->study = &school->study;
        desk->layout = &school->course.layout;
        CHECK_OK(schedule_of(&desk->schedule, desk->study, desk->layout, SITES));
        struct dataset data = {0};
        small_data(&data, study, RECORDS, 10 + v);
        CHECK_OK(local_new(&desk->local, &school->study, &data));
        school->arena.session[v].config.judge = judge;
        school->arena.session[v].config.context = desk;
    }
}

/* Chance of a site in a round: the plain reference shuffles with the same. */
static struct rng chance(uint32_t round, uint32_t site)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1000 + 10 * round + site);
    return rng;
}

/* Plan the next round and send each site its opening, with the state and all results so far. */
static void begin(struct school *school)
{
    struct arena *a = &school->arena;
    buffer_free(&school->state);
    state_write(&school->state, &school->course.state);
    plan_free(&a->plan);
    CHECK_OK(course_plan(&a->plan, &school->course, &school->cohort));
    a->plan.manifest = manifest_hash(&a->manifest);
    a->plan.study = a->manifest.study;
    a->plan.state = hash_of("state", buffer_view(&school->state));
    arena_begin(a);
    for (size_t i = 0; i < a->n_flights; i++) {
        const struct opening opening = {.plan = buffer_view(&a->round.plan_bytes),
                                        .state = buffer_view(&school->state),
                                        .n_results = school->n_results,
                                        .results = buffer_view(&school->results)};
        buffer_free(&a->flight[i].bytes);
        opening_write(&a->flight[i].bytes, &opening);
    }
    for (uint32_t v = 0; v < SITES; v++) a->has_input[v] = true; /* given by work, not at random */
}

/* What a site does when its shares are dealt and checked. */
static void work(struct school *school, uint32_t v)
{
    struct arena *a = &school->arena;
    struct session *session = &a->session[v];
    struct desk *desk = &school->desk[v];
    const struct plan *plan = &session->plan;
    CHECK_NUMBER(SESSION_INPUT, session->phase);
    const struct release worst = schedule_release(plan, schedule_certain(plan));
    CHECK_OK(account_add(&desk->spent, &worst, 1));
    CHECK_OK(local_load(&desk->local, &desk->state));
    struct rng rng = chance(plan->round, v);
    AUTO(encoded_free) struct encoded encoded = {0};
    if (plan->step == STEP_EXPLORE)
        CHECK_OK(explore_run(&encoded, &desk->local, plan, &rng));
    else
        CHECK_OK(train_run(&encoded, &desk->local, plan, &rng));
    AUTO(outbox_free) struct outbox out = {0};
    noised_free(&desk->put_in);
    CHECK_OK(submit_sum(session, &encoded, &desk->put_in, &rng, a->now_ms, &out));
    for (size_t i = 0; i < out.n_letters; i++)
        arena_post(a, v, out.letter[i].to, &out.letter[i].bytes);
}

/* Every opened element is the sum of what the survivors put in. */
static bool sums_are_exact(const struct school *school)
{
    const struct round *round = &school->arena.round;
    size_t at = 0;
    bool exact = true;
    for (uint32_t l = 0; l < round->plan.n_segments; l++)
        for (size_t i = 0; i < round->plan.segment[l].dim; i++, at++) {
            uint32_t sum = 0;
            for (uint32_t v = 0; v < SITES; v++)
                if (bits_has(&round->survivors, v)) sum += school->desk[v].put_in.value[at];
            exact = exact && sum == round->opened[l].value[i];
        }
    return exact;
}

/* One round; the sites of the bit mask `lost` fall silent when they should send their input. */
static void take_round(struct school *school, uint32_t lost)
{
    struct arena *a = &school->arena;
    for (uint32_t v = 0; v < SITES; v++) a->dead[v] = false;
    begin(school);
    arena_deliver(a);
    for (uint32_t v = 0; v < SITES; v++) {
        a->dead[v] = (lost >> v & 1) != 0;
        if (!a->dead[v]) work(school, v);
    }
    arena_run(a);
    CHECK_NUMBER(PHASE_DONE, a->round.phase);
    CHECK_NUMBER(SITES - (size_t)__builtin_popcount(lost), bits_count(&a->round.survivors));
    CHECK(sums_are_exact(school));
    CHECK_OK(course_apply(&school->course, &a->round));
    write_blob(&school->results, a->round.result_bytes.at, a->round.result_bytes.n);
    school->n_results++;
}

/* The same study without anything between the sites: one loop over all records. */
struct reference {
    struct plain plain;
    struct state state;
    double velocity[MOST];
    uint32_t round, trained;
};

static void reference_open(struct reference *r, const struct study *study)
{
    *r = (struct reference){0};
    plain_open(&r->plain, study);
    small_state(&r->state, study, false);
}

static void reference_close(struct reference *r)
{
    plain_close(&r->plain);
    state_free(&r->state);
}

/* Where contributions go: squared, per unit in mode private, or the way down. */
static void contribute(struct reference *r, double *sum, bool explore)
{
    const struct study *study = r->plain.study;
    const struct layout *layout = &r->plain.model.layout;
    const float *grad = r->plain.grad;
    if (!explore) {
        const double sign = study->privacy.unit == STUDY_SITE ? 1 : -1;
        for (size_t i = 0; i < layout->n; i++) sum[i] += sign * (double)grad[i];
    } else if (study->pruning.mode == STUDY_PRUNING_PAPER) {
        for (size_t i = 0; i < layout->n; i++) sum[i] += (double)grad[i] * (double)grad[i];
    } else {
        float units[MOST];
        explore_units(units, layout, grad);
        for (size_t u = 0; u < layout_units(layout); u++) sum[u] += (double)units[u];
    }
}

/* The sum over the records of all sites but the lost ones. */
static void reference_sum(struct reference *r, double *sum, const struct school *school,
                          uint32_t lost, bool explore)
{
    memset(sum, 0, MOST * sizeof *sum);
    r->round++;
    for (uint32_t v = 0; v < SITES; v++) {
        if ((lost >> v & 1) != 0) continue;
        const struct dataset *data = &school->desk[v].local.data;
        if (school->study.privacy.unit == STUDY_SITE) {
            struct rng rng = chance(r->round, v);
            plain_epochs(&r->plain, r->state.weight, &r->state.keep, data, &rng);
            contribute(r, sum, explore);
            continue;
        }
        for (size_t i = 0; i < data->n; i++) {
            plain_gradient(&r->plain, r->state.weight, data, i);
            contribute(r, sum, explore);
        }
    }
}

static void reference_explore(struct reference *r, const struct school *school)
{
    double sum[MOST];
    float guidance[MOST];
    reference_sum(r, sum, school, 0, true);
    for (size_t i = 0; i < MOST; i++) guidance[i] = (float)sum[i];
    struct bits keep = {0};
    CHECK_OK(prune_keep(&keep, r->plain.study, &r->plain.model.layout, guidance, r->state.weight));
    bits_free(&r->state.keep);
    r->state.keep = keep;
    state_prune(&r->state);
}

static void reference_train(struct reference *r, const struct school *school, uint32_t lost)
{
    const struct study *study = r->plain.study;
    const double survivors = SITES - (double)__builtin_popcount(lost);
    const double divisor = study->privacy.unit == STUDY_SITE ? survivors : study->privacy.records;
    const double rate = study->rounds.learning_rate *
                        (1 - study->rounds.decay * r->trained++ / study->rounds.count);
    double sum[MOST];
    reference_sum(r, sum, school, lost, false);
    for (size_t i = 0; i < r->state.keep.n; i++) {
        if (!bits_has(&r->state.keep, i)) continue;
        r->velocity[i] = study->rounds.momentum * r->velocity[i] + sum[i] / divisor;
        r->state.weight[i] += (float)(rate * r->velocity[i]);
    }
}

static double distance(const struct reference *r, const struct course *course)
{
    double most = 0;
    for (size_t i = 0; i < course->layout.n; i++)
        most = fmax(most, fabs((double)r->state.weight[i] - (double)course->state.weight[i]));
    return most;
}

/* Each contribution is off by at most half a grid unit in a coordinate, so the mean is, and one
 * step moves a weight by at most rate / (1 - momentum) times that. Steps add up, and weights that
 * are off give gradients that are off: a factor of 2 pays for that in these few rounds. */
static double rounding(const struct school *school)
{
    const struct study *study = &school->study;
    const double step = 0.5 / school->arena.round.plan.grid.scale * study->rounds.learning_rate /
                        (1 - study->rounds.momentum);
    return 1e-5 + step * (school->course.trained == 1 ? 1 : 2.0 * school->course.trained);
}

/* Run both; in training round `bad`, the sites of `lost` drop out. */
static void compare(const struct study *study, uint32_t bad, uint32_t lost)
{
    AUTO(school_close) struct school school = {0};
    AUTO(reference_close) struct reference reference = {0};
    school_open(&school, study);
    reference_open(&reference, study);
    take_round(&school, 0);
    reference_explore(&reference, &school);
    CHECK(bits_equal(&reference.state.keep, &school.course.state.keep));
    CHECK(bits_count(&reference.state.keep) < school.course.layout.n);
    double start[MOST], moved = 0;
    for (size_t i = 0; i < school.course.layout.n; i++)
        start[i] = (double)school.course.state.weight[i];
    while (!course_done(&school.course)) {
        const uint32_t now = school.course.trained == bad ? lost : 0;
        take_round(&school, now);
        reference_train(&reference, &school, now);
        CHECK(distance(&reference, &school.course) <= rounding(&school));
    }
    for (size_t i = 0; i < school.course.layout.n; i++)
        moved = fmax(moved, fabs((double)school.course.state.weight[i] - start[i]));
    CHECK(moved > 10 * rounding(&school));
    for (uint32_t v = 0; v < SITES; v++)
        CHECK(hash_equal(&school.arena.session[0].transcript, &school.arena.session[v].transcript));
}

static void compare_modes(enum study_unit unit, enum model_kind kind, enum study_pruning mode)
{
    struct study study;
    small_study(&study, unit, kind);
    study.pruning.mode = mode;
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

static void a_site_that_drops_out_of_a_round_comes_back(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        struct study study;
        small_study(&study, unit, MODEL_MLP);
        compare(&study, 1, 4);
    }
}

int main(void)
{
    RUN(patients_private_equals_the_plain_loop);
    RUN(sites_private_equals_the_plain_loop);
    RUN(patients_paper_equals_the_plain_loop);
    RUN(sites_paper_equals_the_plain_loop);
    RUN(a_cnn_equals_the_plain_loop);
    RUN(a_site_that_drops_out_of_a_round_comes_back);
    return check_done();
}
