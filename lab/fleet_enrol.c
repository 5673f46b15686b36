/* SPDX-License-Identifier: Apache-2.0 */
/* What keygen, manifest, sign and pin do, for all parties at once. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/journal.h"
#include "lab/fleet_step.h"

/* Of the clock nothing is needed but that it does not go back. */
#define FLEET_TIME_S 1

static enum status refuse(struct site_error *why, enum status status, enum reason reason,
                          const char *text)
{
    why->reason = reason;
    (void)snprintf(why->text, sizeof why->text, "%s", text);
    return status;
}

static enum status put(const char *folder, const char *name, struct view bytes, unsigned mode)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, folder, name));
    return file_write(path, bytes, mode);
}

static enum status make_manifest(struct fleet *fleet, struct buffer *bytes)
{
    struct manifest *m = &fleet->manifest;
    const bool aes = mask_available(MASK_AES256_CTR);
    AUTO(keyfile_wipe) struct keyfile governor = {0};
    TRY(keyfile_make(&fleet->coordinator, "coordinator", &fleet->rng));
    TRY(keyfile_make(&governor, "governor", &fleet->rng));
    struct member officer;
    member_of(&officer, &governor, aes);
    manifest_begin(m, &fleet->study);
    member_of(&m->coordinator, &fleet->coordinator, aes);
    m->n_governors = m->governors_needed = 1;
    memcpy(m->governor[0], officer.identity, SIGN_PUBLIC_BYTES);
    m->member = calloc(fleet->n, sizeof *m->member);
    if (m->member == NULL) return STATUS_NOMEM;
    for (m->n = 0; m->n < fleet->n; m->n++) {
        char name[32];
        struct keyfile *key = &fleet->site[m->n].key;
        (void)snprintf(name, sizeof name, "site-%u", m->n + 1);
        TRY(keyfile_make(key, name, &fleet->rng));
        member_of(&m->member[m->n], key, aes);
    }
    manifest_write(bytes, m);
    TRY(bytes->status);
    return manifest_sign(bytes, m, governor.identity);
}

/* As wide as the study needs: what a simulated site refuses is the lab's to say. */
static struct view policy_text(char *text, size_t n, const struct fleet *fleet)
{
    const struct study *study = &fleet->study;
    const double lifetime =
        fleet->set.lifetime_epsilon > 0 ? fleet->set.lifetime_epsilon : (double)POLICY_LIFETIME_MAX;
    const int length =
        snprintf(text, n,
                 "max_epsilon: %.17g\nmax_delta: %.17g\nmin_sites: %u\nmin_contributors: %u\n"
                 "min_collusion: %u\nallow_rehearsal: true\nlifetime_epsilon: %.17g\n"
                 "lifetime_delta: %.17g\n",
                 fmin(study->privacy.epsilon, STUDY_EPSILON_MAX), study->privacy.delta,
                 study->sites.threshold, study->sites.min_contributors, study->sites.colluding,
                 lifetime, study->privacy.delta);
    return (struct view){(const uint8_t *)text, (size_t)length};
}

static enum status begin_books(const struct fleet *fleet, const char *folder,
                               const struct keyfile *key, const struct hash *manifest)
{
    char path[FILE_PATH_MAX];
    struct policy policy = {0};
    struct settings_error bad = {0};
    struct ledger_fault fault = {0};
    TRY(file_path(path, sizeof path, folder, "policy.yaml"));
    TRY(policy_read(&policy, path, &bad));
    AUTO(journal_close) struct journal *journal = NULL;
    TRY(file_path(path, sizeof path, folder, "journal.db"));
    TRY(journal_open(&journal, path));
    TRY(journal_bind(journal, manifest, true));
    TRY(policy_ledger(path, folder, &policy));
    return budget_begin(path, journal, &policy, &fleet->course.schedule, manifest, key->identity,
                        FLEET_TIME_S, &fault);
}

static enum status fill_folder(const struct fleet *fleet, const char *folder, uint32_t v,
                               struct view manifest, struct view study)
{
    char path[FILE_PATH_MAX], text[512], hex[2 * HASH_BYTES + 1];
    const struct keyfile *key = &fleet->site[v].key;
    const struct hash hash = manifest_hash(&fleet->manifest);
    if (mkdir(folder, 0700) != 0) return STATUS_IO;
    TRY(file_path(path, sizeof path, folder, "key"));
    TRY(keyfile_write(key, path));
    hash_hex(hex, &hash, HASH_BYTES);
    TRY(put(folder, "manifest", manifest, 0644));
    TRY(put(folder, "manifest.pin", (struct view){(const uint8_t *)hex, sizeof hex - 1}, 0644));
    TRY(put(folder, "study.yaml", study, 0644));
    TRY(put(folder, "policy.yaml", policy_text(text, sizeof text, fleet), 0644));
    return begin_books(fleet, folder, key, &hash);
}

static enum status site_folder(char out[static FILE_PATH_MAX], const struct fleet *fleet,
                               uint32_t v)
{
    return file_path(out, FILE_PATH_MAX, fleet->folder, fleet->site[v].key.name);
}

/* Everything that a site draws follows from the run's seed and its number. */
static void seed_site(struct fleet *fleet, uint32_t v)
{
    uint8_t seed[RNG_SEED_BYTES];
    rng_bytes(&fleet->rng, seed, sizeof seed);
    rng_seeded(&fleet->site[v].site.rng, seed);
}

static enum status open_spend(struct fleet *fleet, struct site_error *why)
{
    char path[FILE_PATH_MAX];
    struct ledger_fault fault = {0};
    const struct hash manifest = manifest_hash(&fleet->manifest);
    TRY(file_path(path, sizeof path, fleet->folder, "ledger.db"));
    const enum status status = spend_open(&fleet->spend, path, &fleet->course.schedule, &manifest,
                                          fleet->coordinator.identity, false, FLEET_TIME_S, &fault);
    return status == STATUS_OK
               ? STATUS_OK
               : refuse(why, status, REASON_LEDGER, "the coordinator's ledger cannot be written");
}

enum status fleet_enrol(struct fleet *fleet, struct dataset *share, struct site_error *why)
{
    AUTO(buffer_free) struct buffer manifest = {0}, study = {0};
    TRY(file_read(&study, fleet->set.study, SETTINGS_FILE_BYTES_MAX));
    TRY(make_manifest(fleet, &manifest));
    TRY(open_spend(fleet, why));
    for (uint32_t v = 0; v < fleet->n; v++) {
        char folder[FILE_PATH_MAX];
        struct fleet_site *own = &fleet->site[v];
        TRY(site_folder(folder, fleet, v));
        const enum status status =
            fill_folder(fleet, folder, v, buffer_view(&manifest), buffer_view(&study));
        if (status != STATUS_OK)
            return refuse(why, status, REASON_JOURNAL, "a site's folder cannot be written");
        TRY(site_open(&own->site, folder, &share[v], FLEET_TIME_S, why));
        own->site.local.backbone = fleet->set.backbone;
        seed_site(fleet, v);
    }
    return STATUS_OK;
}
