/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/ward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"

struct site ward_site;
static char folder[64];
static struct keyfile key[WARD_SITES], coordinator, governor;

const char ward_noisy[] =
    "schema: 1\nstudy: {id: judge}\n"
    "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
    "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [6, 6]}\n"
    "privacy: {unit: patient, epsilon: 2.0, delta: 1.0e-5, clip: 1.0, exploration_clip: 1.0,\n"
    "          exploration_ratio: 3.0, sampling: 0.2, records: 500}\n"
    "rounds: {count: 12}\n";

/* The same keys in each program, made once. */
static void make_keys(void)
{
    static bool made;
    if (made) return;
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    CHECK_OK(keyfile_make(&coordinator, "coordinator", &rng));
    CHECK_OK(keyfile_make(&governor, "governor", &rng));
    for (uint32_t v = 0; v < WARD_SITES; v++) {
        char name[16];
        (void)snprintf(name, sizeof name, "site-%u", v + 1);
        CHECK_OK(keyfile_make(&key[v], name, &rng));
    }
    made = true;
}

void ward_path(char path[static FILE_PATH_MAX], const char *name)
{
    CHECK_OK(file_path(path, FILE_PATH_MAX, folder, name));
}

static void put(const char *name, const void *bytes, size_t n, unsigned mode)
{
    char path[FILE_PATH_MAX];
    ward_path(path, name);
    CHECK_OK(file_write(path, (struct view){bytes, n}, mode));
}

/* As `pin` does. */
static void begin_books(const char *text, const struct hash *manifest)
{
    char path[FILE_PATH_MAX];
    struct settings_error bad = {0};
    struct ledger_fault fault = {0};
    static struct study study;
    static struct layout layout;
    struct schedule schedule = {0};
    struct policy policy = {0};
    CHECK_OK(study_parse(&study, (struct view){(const uint8_t *)text, strlen(text)}, &bad));
    CHECK_OK(layout_of(&layout, &study.model.spec));
    CHECK_OK(schedule_of(&schedule, &study, &layout, WARD_SITES, &bad));
    ward_path(path, "policy.yaml");
    CHECK_OK(policy_read(&policy, path, &bad));
    AUTO(journal_close) struct journal *journal = NULL;
    ward_path(path, "journal.db");
    CHECK_OK(journal_open(&journal, path));
    CHECK_OK(journal_bind(journal, manifest, true));
    CHECK_OK(policy_ledger(path, folder, &policy));
    CHECK_OK(budget_begin(path, journal, &policy, &schedule, manifest, key[1].identity, 1, &fault));
}

void ward_make(const char *study, double max_epsilon, double floor_epsilon, bool bind)
{
    make_keys();
    (void)snprintf(folder, sizeof folder, "/tmp/veilsum-site-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    AUTO(manifest_free)
    struct manifest manifest = {
        .epoch = 1,
        .floor = {.m = 1, .c = 1, .max_epsilon = floor_epsilon, .max_delta = 1e-5},
        .n = WARD_SITES,
        .n_governors = 1,
        .governors_needed = 1};
    (void)snprintf(manifest.federation, sizeof manifest.federation, "judge");
    manifest.study = hash_of("study", (struct view){(const uint8_t *)study, strlen(study)});
    manifest.member = calloc(WARD_SITES, sizeof *manifest.member);
    CHECK(manifest.member != NULL);
    member_of(&manifest.coordinator, &coordinator, true);
    sign_public(manifest.governor[0], governor.identity);
    for (uint32_t v = 0; v < WARD_SITES; v++) member_of(&manifest.member[v], &key[v], v % 2 == 0);
    AUTO(buffer_free) struct buffer bytes = {0};
    manifest_write(&bytes, &manifest);
    CHECK_OK(manifest_sign(&bytes, &manifest, governor.identity));
    put("manifest", bytes.at, bytes.n, 0644);
    struct hash hash = manifest_hash(&manifest);
    char hex[2 * HASH_BYTES + 1], policy[128], path[FILE_PATH_MAX];
    hash_hex(hex, &hash, HASH_BYTES);
    put("manifest.pin", hex, sizeof hex - 1, 0644);
    put("study.yaml", study, strlen(study), 0644);
    int n = snprintf(policy, sizeof policy,
                     "max_epsilon: %g\nmin_contributors: 2\nallow_rehearsal: true\n", max_epsilon);
    put("policy.yaml", policy, (size_t)n, 0644);
    ward_path(path, "key");
    CHECK_OK(keyfile_write(&key[1], path));
    if (bind) begin_books(study, &hash);
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

enum status ward_open(struct site_error *why)
{
    struct dataset data = {.n = 10, .channels = 1, .height = 8, .width = 8, .classes = 3};
    data.pixel = calloc(10, 64);
    data.label = calloc(10, 1);
    CHECK(data.pixel != NULL && data.label != NULL);
    enum status status = site_open(&ward_site, folder, &data, 1, why);
    dataset_free(&data);
    return status;
}

void ward_close(void)
{
    site_close(&ward_site);
    remove_folder();
}

enum reason ward_judge(struct plan *plan, uint32_t round, const struct state *state)
{
    AUTO(bits_free) struct bits cohort = {0};
    CHECK_OK(bits_new(&cohort, WARD_SITES));
    bits_fill(&cohort);
    const enum step step = round == 1 ? STEP_EXPLORE : STEP_TRAIN;
    CHECK_OK(schedule_plan(plan, &ward_site.schedule, step, round == 1 ? 0 : round - 2,
                           &state->keep, state->clip, &cohort));
    plan->round = round;
    AUTO(buffer_free) struct buffer bytes = {0};
    state_write(&bytes, state);
    return ward_site.session.config.judge(ward_site.session.config.context, plan,
                                          buffer_view(&bytes));
}

void ward_remember(enum memory_kind kind, uint32_t round, uint32_t n_survivors)
{
    const struct memory memory = {.kind = kind, .round = round, .n_survivors = n_survivors};
    AUTO(outbox_free) struct outbox out = {0};
    struct buffer entry = {0};
    memory_write(&entry, &memory);
    CHECK_OK(outbox_journal(&out, &entry));
    CHECK_OK(site_remember(&ward_site, &out));
}

void ward_release(const struct plan *plan, uint32_t survivors)
{
    struct books_refusal refusal = {0};
    ward_remember(MEMORY_PLAN, plan->round, 0);
    CHECK_OK(budget_reserve(&ward_site.budget, plan, 1, &refusal));
    ward_remember(MEMORY_INPUT, plan->round, 0);
    if (survivors > 0) ward_remember(MEMORY_RESULT, plan->round, survivors);
}
