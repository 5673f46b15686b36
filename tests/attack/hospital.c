/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/attack/hospital.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"

#define DIM_MAX 1000

const char hospital_study[] =
    "study: {id: hospital}\n"
    "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
    "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [6, 6]}\n"
    "privacy: {unit: patient, epsilon: 2.0, sampling: 0.2, records: 500}\n"
    "pruning: {mode: none}\n"
    "rounds: {count: 2}\n";

const char hospital_bare[] =
    "study: {id: hospital, rehearsal: true}\n"
    "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
    "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [6, 6]}\n"
    "privacy: {unit: site, epsilon: .inf}\n"
    "pruning: {mode: none}\n"
    "rounds: {count: 9}\n";

static void put(const struct hospital *h, const char *name, const void *bytes, size_t n)
{
    char path[FILE_PATH_MAX];
    CHECK_OK(file_path(path, sizeof path, h->folder, name));
    CHECK_OK(file_write(path, (struct view){bytes, n}, 0600));
}

/* As `pin` does, if the study can be pinned. */
static void begin_books(const struct hospital *h, const struct hash *manifest, const char *text)
{
    char path[FILE_PATH_MAX];
    struct settings_error bad = {0};
    struct ledger_fault fault = {0};
    struct study study = {0};
    struct layout layout = {0};
    struct schedule schedule = {0};
    struct policy policy = {0};
    if (study_parse(&study, (struct view){(const uint8_t *)text, strlen(text)}, &bad) !=
            STATUS_OK ||
        layout_of(&layout, &study.model.spec) != STATUS_OK ||
        schedule_of(&schedule, &study, &layout, HOSPITAL_SITES, &bad) != STATUS_OK)
        return;
    CHECK_OK(file_path(path, sizeof path, h->folder, "policy.yaml"));
    CHECK_OK(policy_read(&policy, path, &bad));
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(file_path(path, sizeof path, h->folder, "journal.db"));
    CHECK_OK(journal_open(&journal, path));
    CHECK_OK(journal_bind(journal, manifest, true));
    CHECK_OK(policy_ledger(path, h->folder, &policy));
    CHECK_OK(budget_begin(path, journal, &policy, &schedule, manifest,
                          h->arena.key[HOSPITAL].identity, 1, &fault));
}

/* A folder as `keygen` and `pin` leave it. */
static void make_folder(struct hospital *h, const char *study, const char *policy)
{
    struct arena *a = &h->arena;
    (void)snprintf(h->folder, sizeof h->folder, "/tmp/veilsum-hospital-XXXXXX");
    CHECK(mkdtemp(h->folder) != NULL);
    AUTO(buffer_free) struct buffer bytes = {0};
    manifest_write(&bytes, &a->manifest);
    CHECK_OK(manifest_sign(&bytes, &a->manifest, a->governor.identity));
    const struct hash hash = manifest_hash(&a->manifest);
    char hex[2 * HASH_BYTES + 1], path[FILE_PATH_MAX];
    hash_hex(hex, &hash, HASH_BYTES);
    put(h, "manifest", bytes.at, bytes.n);
    put(h, "manifest.pin", hex, sizeof hex - 1);
    put(h, "study.yaml", study, strlen(study));
    put(h, "policy.yaml", policy, strlen(policy));
    CHECK_OK(file_path(path, sizeof path, h->folder, "key"));
    CHECK_OK(keyfile_write(&a->key[HOSPITAL], path));
    begin_books(h, &hash, study);
}

static void remove_folder(const struct hospital *h)
{
    static const char *const names[] = {
        "manifest",  "manifest.pin",  "study.yaml",     "policy.yaml",
        "key",       "journal.db",    "journal.db-wal", "journal.db-shm",
        "ledger.db", "ledger.db-wal", "ledger.db-shm"};
    char path[FILE_PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (file_path(path, sizeof path, h->folder, names[i]) == STATUS_OK) (void)remove(path);
    (void)remove(h->folder);
}

static enum reason open_site(struct hospital *h, size_t records)
{
    struct dataset data = {.n = records, .channels = 1, .height = 8, .width = 8, .classes = 3};
    data.pixel = calloc(records, 64);
    data.label = calloc(records, 1);
    CHECK(data.pixel != NULL && data.label != NULL);
    rng_bytes(&h->arena.rng, data.pixel, records * 64);
    struct site_error why = {0};
    const enum status status = site_open(&h->site, h->folder, &data, 1, &why);
    dataset_free(&data);
    return status == STATUS_OK ? REASON_NONE : why.reason;
}

void hospital_post(struct hospital *h, struct outbox *out)
{
    CHECK_OK(site_remember(&h->site, out));
    for (size_t i = 0; i < out->n_letters; i++) {
        const struct view letter = blob_view(out->letter[i].bytes);
        struct buffer copy = {0};
        write_bytes(&copy, letter.at, letter.n);
        arena_post(&h->arena, HOSPITAL, OUTBOX_SERVER, &copy);
    }
    outbox_free(out);
}

/* As the site's own loop does it, but for the clock. */
static void hear(struct hospital *h, struct view letter)
{
    struct session *session = &h->site.session;
    const uint64_t now = h->arena.now_ms;
    struct outbox out = {0};
    h->n_heard++;
    const enum status status = session_message(session, letter, now, &out);
    if (status != STATUS_OK && session->why != REASON_PHASE && session->why != REASON_WRONG_SESSION)
        h->refusal = session->why;
    hospital_post(h, &out);
    if (session->phase != SESSION_INPUT) return;
    CHECK_OK(site_work(&h->site, &out));
    CHECK_OK(site_submit(&h->site, now + session_release_in(session, now), &out));
    hospital_post(h, &out);
}

static void keep(struct hospital *h, struct view letter)
{
    CHECK(h->n_mail < HOSPITAL_MAIL_MAX);
    write_bytes(&h->mail[h->n_mail++], letter.at, letter.n);
}

static void add_state(const struct hospital *h, struct flight *flight)
{
    AUTO(buffer_free) struct buffer old = flight->bytes;
    flight->bytes = (struct buffer){0};
    struct opening opening = {0};
    CHECK_OK(opening_read(&opening, buffer_view(&old)));
    opening.state = buffer_view(&h->state);
    opening_write(&flight->bytes, &opening);
    write_bytes(&flight->bytes, h->state.at, h->state.n);
}

static bool through(struct arena *a, struct flight *flight)
{
    struct hospital *h = a->context;
    if (flight_kind(flight) == MSG_OPENING) add_state(h, flight);
    a->context = h->context;
    const bool lost = h->filter != NULL && !h->filter(a, flight);
    a->context = h;
    if (lost || flight->to != HOSPITAL) return !lost;
    if (h->by_hand)
        keep(h, buffer_view(&flight->bytes));
    else
        hear(h, buffer_view(&flight->bytes));
    return false;
}

enum reason hospital_open(struct hospital *h, const char *study, const char *policy, size_t records)
{
    static const uint64_t dims[1] = {DIM_MAX};
    struct arena *a = &h->arena;
    *h = (struct hospital){0};
    arena_open(a, HOSPITAL_SITES, 1, 2, 1, dims, NULL, 32, 1);
    a->manifest.study = hash_of("study", (struct view){(const uint8_t *)study, strlen(study)});
    a->manifest.floor.max_epsilon = (double)INFINITY;
    a->filter = through;
    a->context = h;
    make_folder(h, study, policy);
    const enum reason why = open_site(h, records);
    if (why != REASON_NONE) return why;
    AUTO(state_free) struct state state = {0};
    CHECK_OK(state_new(&state, h->site.layout.n));
    state_write(&h->state, &state);
    CHECK_OK(h->state.status);
    hospital_plan(h, STEP_TRAIN, 0);
    return REASON_NONE;
}

enum reason hospital_restart(struct hospital *h)
{
    const size_t records = h->site.local.data.n;
    site_close(&h->site);
    return open_site(h, records);
}

void hospital_close(struct hospital *h)
{
    site_close(&h->site);
    remove_folder(h);
    buffer_free(&h->state);
    for (size_t i = 0; i < h->n_mail; i++) buffer_free(&h->mail[i]);
    arena_close(&h->arena);
}

void hospital_plan(struct hospital *h, enum step step, uint32_t step_number)
{
    struct plan *plan = &h->arena.plan;
    AUTO(state_free) struct state state = {0};
    AUTO(bits_free) struct bits cohort = {0};
    CHECK_OK(state_read(&state, buffer_view(&h->state), h->site.layout.n));
    CHECK_OK(bits_new(&cohort, HOSPITAL_SITES));
    bits_fill(&cohort);
    plan_free(plan);
    CHECK_OK(schedule_plan(plan, &h->site.schedule, step, step_number, &state.keep, state.clip,
                           &cohort));
    plan->manifest = manifest_hash(&h->arena.manifest);
    plan->study = h->arena.manifest.study;
    plan->state = hash_of("state", buffer_view(&h->state));
}

enum reason hospital_told(struct hospital *h, hospital_change *change)
{
    struct forgery forgery = {.kind = MSG_PLAN, .site = HOSPITAL, .change = change};
    h->filter = forge;
    h->context = &forgery;
    h->n_heard = 0;
    h->refusal = REASON_NONE;
    arena_begin(&h->arena);
    while (h->n_heard == 0) CHECK(arena_step(&h->arena));
    h->filter = NULL;
    h->context = NULL;
    CHECK(forgery.done);
    return h->refusal;
}
