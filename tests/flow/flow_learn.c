/* SPDX-License-Identifier: Apache-2.0 */
/* Whole little studies through the shipping state machines, and beside them the same learning in
 * plain float loops: one process, no sockets. */
#include <math.h>
#include <string.h>

#include "aggregator/course.h"
#include "client/explore.h"
#include "client/submit.h"
#include "client/train.h"
#include "tests/flow/reference.h"
#include "tests/lib/arena.h"
#include "tests/lib/check.h"
#include "tests/lib/small.h"

enum { SITES = REFERENCE_SITES, RECORDS = 40 };

static struct settings_error said;

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
    struct buffer state; /* of the round in progress */
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
}

/* The site's own judgement: the plan is the one that the study and the state ask for. */
static enum reason judge(void *context, const struct plan *plan, struct view bytes)
{
    struct desk *desk = context;
    AUTO(state_free) struct state state = {0};
    if (state_read(&state, bytes, desk->layout->n) != STATUS_OK) return REASON_MODEL;
    enum reason why = schedule_check(&desk->schedule, plan, &state.keep, state.clip);
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
    CHECK_OK(course_new(&school->course, &school->study, SITES, state.weight, &said));
    CHECK_OK(bits_new(&school->cohort, SITES));
    bits_fill(&school->cohort);
    for (uint32_t v = 0; v < SITES; v++) {
        struct desk *desk = &school->desk[v];
        desk->study = &school->study;
        desk->layout = &school->course.layout;
        CHECK_OK(schedule_of(&desk->schedule, desk->study, desk->layout, SITES, &said));
        struct dataset data = {0};
        small_data(&data, study, RECORDS, 10 + v);
        CHECK_OK(local_new(&desk->local, &school->study, &data));
        school->arena.session[v].config.judge = judge;
        school->arena.session[v].config.context = desk;
    }
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
                                        .n_results = a->n_results,
                                        .results = buffer_view(&a->results)};
        struct buffer *bytes = &a->flight[i].bytes;
        buffer_free(bytes);
        opening_write(bytes, &opening);
        write_bytes(bytes, school->state.at, school->state.n);
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
    struct rng rng = reference_chance(plan->round, v);
    AUTO(noise_free) struct noise noise = {0};
    CHECK_OK(submit_noise(&noise, session, &rng));
    AUTO(encoded_free) struct encoded encoded = {0};
    if (plan->step == STEP_EXPLORE)
        CHECK_OK(explore_run(&encoded, &desk->local, plan, &rng));
    else
        CHECK_OK(train_run(&encoded, &desk->local, plan, &session->roster_hash, &rng));
    AUTO(outbox_free) struct outbox out = {0};
    noised_free(&desk->put_in);
    CHECK_OK(noise_add(&desk->put_in, &encoded, &noise));
    CHECK_OK(submit_sum(session, &desk->put_in, a->now_ms, &out));
    for (size_t i = 0; i < out.n_letters; i++) {
        const struct view letter = blob_view(out.letter[i].bytes);
        struct buffer copy = {0};
        write_bytes(&copy, letter.at, letter.n);
        arena_post(a, v, out.letter[i].to, &copy);
    }
}

/* Every opened element is the sum of what the survivors put in. */
static bool sums_are_exact(const struct school *school)
{
    const struct round *round = &school->arena.round;
    const uint32_t ring = UINT32_MAX >> (32 - round->plan.grid.bits);
    size_t at = 0;
    bool exact = true;
    for (uint32_t l = 0; l < round->plan.n_segments; l++)
        for (size_t i = 0; i < round->plan.segment[l].dim; i++, at++) {
            uint32_t sum = 0;
            for (uint32_t v = 0; v < SITES; v++)
                if (bits_has(&round->survivors, v)) sum += school->desk[v].put_in.value[at];
            exact = exact && (sum & ring) == round->opened[l].value[i];
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

/* Run both; in training round `bad`, the sites of `lost` drop out. */
static void compare(const struct study *study, uint32_t bad, uint32_t lost)
{
    AUTO(school_close) struct school school = {0};
    AUTO(reference_close) struct reference reference = {0};
    school_open(&school, study);
    const struct dataset *data[SITES];
    for (size_t v = 0; v < SITES; v++) data[v] = &school.desk[v].local.data;
    reference_open(&reference, study, data);
    take_round(&school, 0);
    reference_explore(&reference);
    if (study->privacy.rounding == GRID_STOCHASTIC) follow(&reference, &school.course.state);
    CHECK(bits_equal(&reference.state.keep, &school.course.state.keep));
    CHECK(bits_count(&reference.state.keep) < school.course.layout.n);
    double start[REFERENCE_MOST], moved = 0;
    for (size_t i = 0; i < school.course.layout.n; i++)
        start[i] = (double)school.course.state.weight[i];
    /* All contributions are within the clip, of those that the divisor counts. */
    const double rate = study->privacy.adaptive_clip ? study->privacy.clip_rate : 0;
    double fallen = 0;
    while (!course_done(&school.course)) {
        const uint32_t now = school.course.trained == bad ? lost : 0;
        const double present = SITES - __builtin_popcount(now);
        take_round(&school, now);
        reference_train(&reference, now);
        CHECK(distance(&reference, &school.course) <= rounding(&school));
        fallen += rate * (study->privacy.unit == STUDY_SITE ? 1 : present / SITES) / 2;
        CHECK_CLOSE(rate > 0 ? study->privacy.clip * exp(-fallen) : 0, school.course.state.clip,
                    1e-6);
    }
    for (size_t i = 0; i < school.course.layout.n; i++)
        moved = fmax(moved, fabs((double)school.course.state.weight[i] - start[i]));
    CHECK(moved > 5 * rounding(&school));
    for (uint32_t v = 0; v < SITES; v++)
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

static void a_site_that_drops_out_of_a_round_comes_back(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        struct study study;
        small_study(&study, unit, MODEL_MLP);
        compare(&study, 1, 4);
    }
}

static void adapt(struct study *study)
{
    study->privacy.adaptive_clip = true;
    study->privacy.clip_quantile = 0.5;
    study->privacy.clip_rate = 0.2;
}

static void a_clip_that_adapts_follows_what_the_sites_count(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        struct study study;
        small_study(&study, unit, MODEL_MLP);
        adapt(&study);
        compare(&study, 1, 4);
    }
}

/* Both units on a narrow ring: what is learned stays the same. */
static void narrow(struct study *study, enum study_unit unit)
{
    small_study(study, unit, MODEL_MLP);
    study->secagg.bits = 18;
    study->privacy.rounding = GRID_STOCHASTIC;
    study->privacy.rotation = STUDY_ROTATION_HADAMARD;
}

static void turned_and_rounded_by_chance_in_18_bits_equals_the_plain_loop(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        struct study study;
        narrow(&study, unit);
        compare(&study, 1, 4);
        adapt(&study);
        compare(&study, 1, 4);
    }
}

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
        if (counted > 0) adapt(&study);
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
            take_round(&school, school.course.trained == 1 ? 2 : 0);
            CHECK(school.arena.round.plan.grid.sigma > 0);
            if (!course_done(&school.course))
                charge(&account, &study, z, schedule_clip(&study, school.course.state.clip),
                       bits_count(&school.course.state.keep), counted);
        }
        const double epsilon = account_epsilon(&account, study.privacy.delta);
        CHECK(epsilon <= 5);
        CHECK(epsilon > 0.99 * 5);
        for (uint32_t v = 0; v < SITES; v++) {
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
        narrow(&study, unit);
        study.privacy.epsilon = 5;
        if (unit == STUDY_PATIENT) study.privacy.sampling = 0.25;
        AUTO(school_close) struct school school = {0};
        school_open(&school, &study);
        while (!course_done(&school.course)) {
            take_round(&school, 0);
            const struct grid *grid = &school.arena.round.plan.grid;
            CHECK(grid->bits == 18 && grid->sigma > 0 && grid->norm2 < UINT64_C(1) << 32);
        }
        const double spent = account_epsilon(&school.desk[0].spent, study.privacy.delta);
        CHECK(spent <= 5 && spent > 0.99 * 5);
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
    RUN(a_clip_that_adapts_follows_what_the_sites_count);
    RUN(with_noise_a_study_costs_its_epsilon);
    RUN(what_is_counted_costs_no_more);
    RUN(turned_and_rounded_by_chance_in_18_bits_equals_the_plain_loop);
    RUN(in_18_bits_a_study_costs_its_epsilon_too);
    return check_done();
}
