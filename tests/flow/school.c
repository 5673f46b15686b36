/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/flow/school.h"

#include "client/explore.h"
#include "client/submit.h"
#include "client/train.h"
#include "tests/lib/check.h"
#include "tests/lib/small.h"

enum { RECORDS = 40 };

static struct settings_error said;

void school_close(struct school *school)
{
    for (size_t v = 0; v < SCHOOL_SITES; v++) {
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
    struct school_desk *desk = context;
    AUTO(state_free) struct state state = {0};
    if (state_read(&state, bytes, desk->layout->n) != STATUS_OK) return REASON_MODEL;
    enum reason why = schedule_check(&desk->schedule, plan, &state.keep, state.clip);
    if (why != REASON_NONE) return why;
    state_free(&desk->state);
    desk->state = state;
    state = (struct state){0};
    return REASON_NONE;
}

void school_open(struct school *school, const struct study *study)
{
    static const uint64_t any[1] = {1}; /* the course makes the plans */
    *school = (struct school){.study = *study};
    arena_open(&school->arena, SCHOOL_SITES, 1, 3, 1, any, NULL, 32, 1);
    AUTO(state_free) struct state state = {0};
    small_state(&state, study, false);
    CHECK_OK(course_new(&school->course, &school->study, SCHOOL_SITES, state.weight, &said));
    CHECK_OK(bits_new(&school->cohort, SCHOOL_SITES));
    bits_fill(&school->cohort);
    for (uint32_t v = 0; v < SCHOOL_SITES; v++) {
        struct school_desk *desk = &school->desk[v];
        desk->study = &school->study;
        desk->layout = &school->course.layout;
        CHECK_OK(schedule_of(&desk->schedule, desk->study, desk->layout, SCHOOL_SITES, &said));
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
    for (uint32_t v = 0; v < SCHOOL_SITES; v++)
        a->has_input[v] = true; /* given by work, not at random */
}

/* What a site does when its shares are dealt and checked. */
static void work(struct school *school, uint32_t v)
{
    struct arena *a = &school->arena;
    struct session *session = &a->session[v];
    struct school_desk *desk = &school->desk[v];
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
            for (uint32_t v = 0; v < SCHOOL_SITES; v++)
                if (bits_has(&round->survivors, v)) sum += school->desk[v].put_in.value[at];
            exact = exact && (sum & ring) == round->opened[l].value[i];
        }
    return exact;
}

void school_round(struct school *school, uint32_t lost)
{
    struct arena *a = &school->arena;
    for (uint32_t v = 0; v < SCHOOL_SITES; v++) a->dead[v] = false;
    begin(school);
    arena_deliver(a);
    for (uint32_t v = 0; v < SCHOOL_SITES; v++) {
        a->dead[v] = (lost >> v & 1) != 0;
        if (!a->dead[v]) work(school, v);
    }
    arena_run(a);
    CHECK_NUMBER(PHASE_DONE, a->round.phase);
    CHECK_NUMBER(SCHOOL_SITES - (size_t)__builtin_popcount(lost), bits_count(&a->round.survivors));
    CHECK(sums_are_exact(school));
    CHECK_OK(course_apply(&school->course, &a->round));
}

void school_adapt(struct study *study)
{
    study->privacy.adaptive_clip = true;
    study->privacy.clip_quantile = 0.5;
    study->privacy.clip_rate = 0.2;
}

void school_narrow(struct study *study, enum study_unit unit)
{
    small_study(study, unit, MODEL_MLP);
    study->secagg.bits = 18;
    study->privacy.rounding = GRID_STOCHASTIC;
    study->privacy.rotation = STUDY_ROTATION_HADAMARD;
}
