/* SPDX-License-Identifier: Apache-2.0 */
/* What a site judges for itself: the budget, the policy, the officers' floor, its own ledger. */
#include "client/site.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/lib/check.h"

#define SITES 5
#define COLLUDING 1

static char folder[64];
static struct keyfile key[SITES], coordinator, governor;
static struct site site;

static const char with_noise[] =
    "schema: 1\nstudy: {id: judge}\n"
    "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
    "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [6, 6]}\n"
    "privacy: {unit: patient, epsilon: 2.0, delta: 1.0e-5, clip: 1.0, exploration_clip: 1.0,\n"
    "          exploration_ratio: 3.0, sampling: 0.2, records: 500}\n"
    "rounds: {count: 12}\n";

/* A rehearsal may ask for more than the policy's limit; the gate does not give it. */
static const char small_noise[] =
    "schema: 1\nstudy: {id: judge, rehearsal: true}\n"
    "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
    "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [6, 6]}\n"
    "privacy: {unit: patient, epsilon: 2.0, delta: 1.0e-5, clip: 1.0, exploration_clip: 1.0,\n"
    "          exploration_ratio: 3.0, sampling: 0.2, records: 500}\n"
    "rounds: {count: 12}\n";

static const char without_noise[] =
    "schema: 1\nstudy: {id: judge, rehearsal: true}\n"
    "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
    "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [6, 6]}\n"
    "privacy: {unit: site, epsilon: .inf, delta: 1.0e-5, clip: 1.0, exploration_clip: 1.0}\n"
    "rounds: {count: 12}\n";

static const char with_evaluation[] =
    "schema: 1\nstudy: {id: judge}\n"
    "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
    "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [6, 6]}\n"
    "privacy: {unit: patient, epsilon: 2.0, sampling: 0.2, records: 500}\n"
    "evaluation: {mode: private, every: 5}\n"
    "secagg: {bits: 16}\n"
    "rounds: {count: 12}\n";

static const char *study_text = with_noise;

static void put(const char *name, const void *bytes, size_t n, unsigned mode)
{
    char path[FILE_PATH_MAX];
    CHECK_OK(file_path(path, sizeof path, folder, name));
    CHECK_OK(file_write(path, (struct view){bytes, n}, mode));
}

/* As `pin` does. */
static void begin_books(const struct hash *manifest)
{
    char path[FILE_PATH_MAX];
    struct settings_error bad = {0};
    struct ledger_fault fault = {0};
    static struct study study;
    static struct layout layout;
    struct schedule schedule = {0};
    struct policy policy = {0};
    CHECK_OK(
        study_parse(&study, (struct view){(const uint8_t *)study_text, strlen(study_text)}, &bad));
    CHECK_OK(layout_of(&layout, &study.model.spec));
    CHECK_OK(schedule_of(&schedule, &study, &layout, SITES, &bad));
    CHECK_OK(file_path(path, sizeof path, folder, "policy.yaml"));
    CHECK_OK(policy_read(&policy, path, &bad));
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(file_path(path, sizeof path, folder, "journal.db"));
    CHECK_OK(journal_open(&journal, path));
    CHECK_OK(journal_bind(journal, manifest, true));
    CHECK_OK(budget_path(path, folder, &policy));
    CHECK_OK(budget_begin(path, journal, &policy, &schedule, manifest, key[1].identity, 1, &fault));
}

/* A folder as `keygen` and `pin` leave it; max_epsilon is the policy's, floor the officers'. */
static void make_folder(double max_epsilon, double floor_epsilon, bool bind)
{
    (void)snprintf(folder, sizeof folder, "/tmp/veilsum-site-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    AUTO(manifest_free)
    struct manifest manifest = {
        .epoch = 1,
        .floor = {.m = 1, .c = 1, .max_epsilon = floor_epsilon, .max_delta = 1e-5},
        .n = SITES,
        .n_governors = 1,
        .governors_needed = 1};
    (void)snprintf(manifest.federation, sizeof manifest.federation, "judge");
    manifest.study =
        hash_of("study", (struct view){(const uint8_t *)study_text, strlen(study_text)});
    manifest.member = calloc(SITES, sizeof *manifest.member);
    CHECK(manifest.member != NULL);
    member_of(&manifest.coordinator, &coordinator, true);
    sign_public(manifest.governor[0], governor.identity);
    for (uint32_t v = 0; v < SITES; v++) member_of(&manifest.member[v], &key[v], v % 2 == 0);
    AUTO(buffer_free) struct buffer bytes = {0};
    manifest_write(&bytes, &manifest);
    CHECK_OK(manifest_sign(&bytes, &manifest, governor.identity));
    put("manifest", bytes.at, bytes.n, 0644);
    struct hash hash = manifest_hash(&manifest);
    char hex[2 * HASH_BYTES + 1], policy[128], path[FILE_PATH_MAX];
    hash_hex(hex, &hash, HASH_BYTES);
    put("manifest.pin", hex, sizeof hex - 1, 0644);
    put("study.yaml", study_text, strlen(study_text), 0644);
    int n = snprintf(policy, sizeof policy,
                     "max_epsilon: %g\nmin_contributors: 2\nallow_rehearsal: true\n", max_epsilon);
    put("policy.yaml", policy, (size_t)n, 0644);
    CHECK_OK(file_path(path, sizeof path, folder, "key"));
    CHECK_OK(keyfile_write(&key[1], path));
    if (bind) begin_books(&hash);
}

static void remove_folder(void)
{
    static const char *const names[] = {
        "manifest",  "manifest.pin",  "study.yaml",     "policy.yaml",
        "key",       "journal.db",    "journal.db-wal", "journal.db-shm",
        "ledger.db", "ledger.db-wal", "ledger.db-shm"};
    char path[FILE_PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (file_path(path, sizeof path, folder, names[i]) == STATUS_OK) (void)remove(path);
    (void)remove(folder);
}

static enum status open_site(struct site_error *why)
{
    struct dataset data = {.n = 10, .channels = 1, .height = 8, .width = 8, .classes = 3};
    data.pixel = calloc(10, 64);
    data.label = calloc(10, 1);
    CHECK(data.pixel != NULL && data.label != NULL);
    enum status status = site_open(&site, folder, &data, 1, why);
    dataset_free(&data);
    return status;
}

static void close_site(void)
{
    site_close(&site);
    remove_folder();
}

/* The plan that an honest coordinator makes for all sites, and the judge's word on it. */
static enum reason judge(struct plan *plan, uint32_t round, const struct state *state)
{
    AUTO(bits_free) struct bits cohort = {0};
    CHECK_OK(bits_new(&cohort, SITES));
    bits_fill(&cohort);
    const enum step step = round == 1 ? STEP_EXPLORE : STEP_TRAIN;
    CHECK_OK(schedule_plan(plan, &site.schedule, step, round == 1 ? 0 : round - 2, &state->keep,
                           state->clip, &cohort));
    plan->round = round;
    AUTO(buffer_free) struct buffer bytes = {0};
    state_write(&bytes, state);
    return site.session.config.judge(site.session.config.context, plan, buffer_view(&bytes));
}

static void remember(enum memory_kind kind, uint32_t round, uint32_t n_survivors)
{
    const struct memory memory = {.kind = kind, .round = round, .n_survivors = n_survivors};
    AUTO(outbox_free) struct outbox out = {0};
    struct buffer entry = {0};
    memory_write(&entry, &memory);
    CHECK_OK(outbox_journal(&out, &entry));
    CHECK_OK(site_remember(&site, &out));
}

/* What an accepted round leaves in the journal. survivors 0: no result came. */
static void release(const struct plan *plan, uint32_t survivors)
{
    struct books_refusal refusal = {0};
    remember(MEMORY_PLAN, plan->round, 0);
    CHECK_OK(budget_reserve(&site.budget, plan, 1, &refusal));
    remember(MEMORY_INPUT, plan->round, 0);
    if (survivors > 0) remember(MEMORY_RESULT, plan->round, survivors);
}

/* Rounds that are accepted when each ends with so many survivors. */
static uint32_t rounds_until_refused(uint32_t survivors)
{
    AUTO(state_free) struct state state = {0};
    CHECK_OK(state_new(&state, site.layout.n));
    for (uint32_t round = 1; round < 1000; round++) {
        AUTO(plan_free) struct plan plan = {0};
        /* Past the study's last round the step numbers begin again: rounds that had failed. */
        enum reason why = judge(&plan, round <= 13 ? round : 13, &state);
        plan.round = round;
        if (why != REASON_NONE) {
            CHECK_NUMBER(REASON_BUDGET, why);
            return round - 1;
        }
        release(&plan, survivors);
    }
    return 1000;
}

static void the_budget_lasts_for_the_study_at_its_worst_and_no_longer(void)
{
    struct site_error why = {0};
    make_folder(2, 2, true);
    CHECK_OK(open_site(&why));
    CHECK_NUMBER(13, rounds_until_refused(0)); /* the exploration and 12 rounds */
    double epsilon = 0;
    uint32_t releases = 0;
    CHECK_OK(budget_spent(&site.budget, &epsilon, &releases));
    CHECK_NUMBER(13, releases);
    CHECK(epsilon <= 2 && epsilon > 1.98);
    close_site();
}

static void results_give_back_what_the_worst_case_took(void)
{
    struct site_error why = {0};
    make_folder(2, 2, true);
    CHECK_OK(open_site(&why));
    uint32_t rounds = rounds_until_refused(SITES);
    CHECK(rounds > 13 && rounds < 1000);
    /* One release, settled: the shares of all survivors but the colluding ones. */
    close_site();
    make_folder(2, 2, true);
    CHECK_OK(open_site(&why));
    AUTO(state_free) struct state state = {0};
    AUTO(plan_free) struct plan plan = {0};
    CHECK_OK(state_new(&state, site.layout.n));
    CHECK_NUMBER(REASON_NONE, judge(&plan, 1, &state));
    release(&plan, SITES);
    struct account want = {0}, got = {0};
    const struct release settled = schedule_release(&plan, SITES - COLLUDING);
    CHECK_OK(account_add(&want, &settled, 1));
    CHECK_OK(books_of_study(&got, NULL, &site.budget.ledger.books, site.budget.study,
                            ADVERSARY_COLLUSION));
    CHECK_BYTES(&want, &got, sizeof want);
    close_site();
}

static void the_policys_limit_counts_when_it_is_lower(void)
{
    /* policy_allows refuses the study as a whole; the limit of the gate is the lower of both. */
    struct site_error why = {0};
    make_folder(1.5, 2, true);
    CHECK_STATUS(STATUS_RANGE, open_site(&why));
    CHECK_NUMBER(REASON_POLICY, why.reason);
    CHECK(strstr(why.text, "policy.yaml:1") != NULL);
    close_site();
}

/* The line of the policy that a release would cross is named, with both numbers. */
static void a_budget_that_is_used_up_is_refused_by_its_line(void)
{
    struct site_error why = {0};
    study_text = small_noise;
    make_folder(0.5, 2, true);
    CHECK_OK(open_site(&why));
    CHECK(rounds_until_refused(0) < 13);
    CHECK_NUMBER(1, site.crossed.line);
    CHECK(strncmp(site.crossed.text, "max_epsilon 0.5000 would be exceeded: ", 38) == 0);
    close_site();
    study_text = with_noise;
}

static void no_input_leaves_without_a_reservation(void)
{
    struct site_error why = {0};
    make_folder(2, 2, true);
    CHECK_OK(open_site(&why));
    const struct memory memory = {.kind = MEMORY_INPUT, .round = 1};
    AUTO(outbox_free) struct outbox out = {0};
    struct buffer entry = {0};
    memory_write(&entry, &memory);
    CHECK_OK(outbox_journal(&out, &entry));
    CHECK_STATUS(STATUS_STATE, site_remember(&site, &out));
    uint32_t inputs = 7;
    CHECK_OK(journal_inputs(site.journal, &inputs));
    CHECK_NUMBER(0, inputs);
    close_site();
}

/* The next plan ends whatever was under way: what it had reserved is free again. */
static void a_reservation_that_nothing_left_under_is_void_at_the_next_plan(void)
{
    struct site_error why = {0};
    make_folder(2, 2, true);
    CHECK_OK(open_site(&why));
    AUTO(state_free) struct state state = {0};
    CHECK_OK(state_new(&state, site.layout.n));
    for (uint32_t round = 1; round <= 13; round++) {
        AUTO(plan_free) struct plan plan = {0};
        struct books_refusal refusal = {0};
        CHECK_NUMBER(REASON_NONE, judge(&plan, round, &state));
        remember(MEMORY_PLAN, round, 0);
        CHECK_OK(budget_reserve(&site.budget, &plan, 1, &refusal));
        CHECK(budget_holds(&site.budget, round));
    }
    AUTO(plan_free) struct plan plan = {0};
    CHECK_NUMBER(REASON_NONE, judge(&plan, 13, &state));
    double epsilon = -1;
    uint32_t releases = 7;
    CHECK_OK(budget_spent(&site.budget, &epsilon, &releases));
    CHECK_NUMBER(0, releases);
    CHECK_CLOSE(0, epsilon, 0);
    close_site();
}

static void a_damaged_ledger_is_refused_by_its_entry(void)
{
    struct site_error why = {0};
    char path[FILE_PATH_MAX];
    make_folder(2, 2, true);
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(file_path(path, sizeof path, folder, "ledger.db"));
    CHECK_OK(db_open(&db, path, ""));
    CHECK_OK(db_run(db, "UPDATE entry SET signature = x'00' WHERE number = 2", 0, NULL));
    CHECK_STATUS(STATUS_FORMAT, open_site(&why));
    CHECK_NUMBER(REASON_LEDGER, why.reason);
    CHECK(strstr(why.text, "entry 2: its signature") != NULL);
    close_site();
}

static void more_than_the_officers_signed_is_refused(void)
{
    struct site_error why = {0};
    make_folder(3, 1.9, true);
    CHECK_STATUS(STATUS_RANGE, open_site(&why));
    CHECK_NUMBER(REASON_POLICY, why.reason);
    close_site();
}

static void a_missing_ledger_is_refused(void)
{
    struct site_error why = {0};
    make_folder(2, 2, false);
    CHECK_STATUS(STATUS_STATE, open_site(&why));
    CHECK_NUMBER(REASON_LEDGER, why.reason);
    close_site();
}

static void less_noise_or_another_grid_is_refused(void)
{
    struct site_error why = {0};
    make_folder(2, 2, true);
    CHECK_OK(open_site(&why));
    AUTO(state_free) struct state state = {0};
    CHECK_OK(state_new(&state, site.layout.n));
    AUTO(buffer_free) struct buffer bytes = {0};
    state_write(&bytes, &state);
    AUTO(plan_free) struct plan plan = {0};
    CHECK_NUMBER(REASON_NONE, judge(&plan, 2, &state));
    const struct grid good = plan.grid;
    struct session_config *config = &site.session.config;
    plan.grid.sigma = good.sigma / 2;
    CHECK_NUMBER(REASON_NOISE, config->judge(config->context, &plan, buffer_view(&bytes)));
    plan.grid.sigma = 0;
    CHECK_NUMBER(REASON_NOISE, config->judge(config->context, &plan, buffer_view(&bytes)));
    plan.grid = good;
    plan.grid.norm2 *= 2;
    CHECK_NUMBER(REASON_RING, config->judge(config->context, &plan, buffer_view(&bytes)));
    plan.grid = good;
    plan.grid.cap++;
    CHECK_NUMBER(REASON_RING, config->judge(config->context, &plan, buffer_view(&bytes)));
    plan.grid = good;
    CHECK_NUMBER(REASON_NONE, config->judge(config->context, &plan, buffer_view(&bytes)));
    close_site();
}

/* The site confirms a set of survivors, given as a number's bits, unless it refuses to. */
static enum reason confirm(uint32_t round, uint32_t sites)
{
    struct session *session = &site.session;
    AUTO(bits_free) struct bits set = {0};
    CHECK_OK(bits_new(&set, SITES));
    for (uint32_t v = 0; v < SITES; v++)
        if (sites >> v & 1) bits_set(&set, v);
    const enum reason why = session->config.weigh(session->config.context, &session->plan, &set);
    if (why != REASON_NONE) return why;
    session->survivors.survivors = set;
    remember(MEMORY_CONFIRM, round, 0);
    session->survivors.survivors = (struct bits){0};
    return why;
}

/* This is site 1; two of the sets make up all sites, but for site 1 that is in both. */
static void without_noise_a_set_that_singles_the_site_out_is_refused(void)
{
    struct site_error why = {0};
    study_text = without_noise;
    make_folder(2, (double)INFINITY, true);
    CHECK_OK(open_site(&why));
    CHECK_NUMBER(REASON_NONE, confirm(1, 7));
    CHECK_NUMBER(REASON_NONE, confirm(2, 26));
    CHECK_NUMBER(REASON_ISOLATED, confirm(3, 31));
    site_close(&site);
    CHECK_OK(open_site(&why));
    CHECK_NUMBER(REASON_ISOLATED, confirm(3, 31));
    CHECK_NUMBER(REASON_NONE, confirm(3, 7));
    close_site();
    study_text = with_noise;
    make_folder(2, 2, true);
    CHECK_OK(open_site(&why));
    CHECK(site.session.config.weigh == NULL && site.past.n == 0);
    close_site();
}

/* n black records of class 1, of side x side pixels. */
static enum status hold_out(size_t n, uint32_t side, size_t *shared)
{
    struct dataset held = {.n = n, .channels = 1, .height = side, .width = side, .classes = 2};
    held.pixel = calloc(n, (size_t)side * side);
    held.label = malloc(n);
    CHECK(held.pixel != NULL && held.label != NULL);
    memset(held.label, 1, n);
    struct site_error why = {0};
    const enum status status = site_hold_out(&site, &held, shared, &why);
    CHECK((status == STATUS_OK) == (why.reason == REASON_NONE));
    dataset_free(&held);
    return status;
}

static void records_are_held_out_if_the_study_s_sums_hold_them(void)
{
    struct site_error why = {0};
    size_t shared = 77;
    study_text = with_noise;
    make_folder(2, 2, true);
    CHECK_OK(open_site(&why));
    CHECK_STATUS(STATUS_RANGE, hold_out(3, 8, &shared)); /* nothing asks for them */
    close_site();
    study_text = with_evaluation;
    make_folder(2, 2, true);
    CHECK_OK(open_site(&why));
    const uint64_t room = schedule_room(&site.schedule);
    CHECK(room > 50 && room < 500);
    CHECK_STATUS(STATUS_RANGE, hold_out(3, 7, &shared));
    CHECK_STATUS(STATUS_RANGE, hold_out(room + 1, 8, &shared));
    CHECK_NUMBER(77, shared);
    CHECK_OK(hold_out(room, 8, &shared));
    CHECK_NUMBER(room, shared); /* all of this site's training records are black, too */
    CHECK_NUMBER(room, site.local.held.n);
    close_site();
    study_text = with_noise;
}

/* The coordinator asks once more than the study says; and it may ask for one that is due again
 * after a failure, but each time is paid for. */
static void evaluations_end_with_the_study_s_number_and_with_the_budget(void)
{
    struct site_error why = {0};
    study_text = with_evaluation;
    make_folder(2, 2, true);
    CHECK_OK(open_site(&why));
    AUTO(state_free) struct state state = {0};
    CHECK_OK(state_new(&state, site.layout.n));
    AUTO(bits_free) struct bits cohort = {0};
    CHECK_OK(bits_new(&cohort, SITES));
    bits_fill(&cohort);
    AUTO(buffer_free) struct buffer bytes = {0};
    state_write(&bytes, &state);
    uint32_t round = 0;
    enum reason refusal = REASON_NONE;
    for (uint32_t number = 0; number < 4; number++) {
        AUTO(plan_free) struct plan plan = {0};
        CHECK_OK(schedule_plan(&plan, &site.schedule, STEP_EVALUATE, number, &state.keep,
                               state.clip, &cohort));
        plan.round = ++round;
        refusal =
            site.session.config.judge(site.session.config.context, &plan, buffer_view(&bytes));
        CHECK_NUMBER(number < 3 ? REASON_NONE : REASON_STUDY, refusal);
        if (refusal == REASON_NONE) release(&plan, 0);
    }
    for (refusal = REASON_NONE; refusal == REASON_NONE && round < 1000;) {
        AUTO(plan_free) struct plan plan = {0};
        CHECK_OK(schedule_plan(&plan, &site.schedule, STEP_EVALUATE, 0, &state.keep, state.clip,
                               &cohort));
        plan.round = ++round;
        refusal =
            site.session.config.judge(site.session.config.context, &plan, buffer_view(&bytes));
        if (refusal == REASON_NONE) release(&plan, 0);
    }
    CHECK_NUMBER(REASON_BUDGET, refusal);
    close_site();
    study_text = with_noise;
}

int main(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    CHECK_OK(keyfile_make(&coordinator, "coordinator", &rng));
    CHECK_OK(keyfile_make(&governor, "governor", &rng));
    for (uint32_t v = 0; v < SITES; v++) {
        char name[16];
        (void)snprintf(name, sizeof name, "site-%u", v + 1);
        CHECK_OK(keyfile_make(&key[v], name, &rng));
    }
    RUN(the_budget_lasts_for_the_study_at_its_worst_and_no_longer);
    RUN(results_give_back_what_the_worst_case_took);
    RUN(the_policys_limit_counts_when_it_is_lower);
    RUN(a_budget_that_is_used_up_is_refused_by_its_line);
    RUN(no_input_leaves_without_a_reservation);
    RUN(a_reservation_that_nothing_left_under_is_void_at_the_next_plan);
    RUN(a_damaged_ledger_is_refused_by_its_entry);
    RUN(more_than_the_officers_signed_is_refused);
    RUN(a_missing_ledger_is_refused);
    RUN(less_noise_or_another_grid_is_refused);
    RUN(without_noise_a_set_that_singles_the_site_out_is_refused);
    RUN(records_are_held_out_if_the_study_s_sums_hold_them);
    RUN(evaluations_end_with_the_study_s_number_and_with_the_budget);
    return check_done();
}
