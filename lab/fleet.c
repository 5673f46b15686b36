/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lab/fleet_step.h"
#include "lab/folder.h"

/* Memory that looks like a disk: what is written there is not lost with the process, and that is
 * all that a ledger's fsync is for here. */
#define MEMORY_FOLDER "/dev/shm"

double fleet_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double fleet_lap(double *since)
{
    const double now = fleet_seconds(), spent = now - *since;
    *since = now;
    return spent;
}

static enum status refuse_study(struct site_error *why, enum status status, const char *path,
                                const struct settings_error *error)
{
    why->reason = REASON_STUDY_FILE;
    (void)snprintf(why->text, sizeof why->text, "%s:%u: %s", path, error->line,
                   error->text[0] == 0 ? status_text(status) : error->text);
    return status;
}

static enum status open_course(struct fleet *fleet, const float *initial, struct site_error *why)
{
    struct settings_error error = {0};
    enum status status = study_read(&fleet->study, fleet->set.study, &error);
    if (status != STATUS_OK) return refuse_study(why, status, fleet->set.study, &error);
    fleet->n = fleet->study.sites.expected;
    status = course_new(&fleet->course, &fleet->study, fleet->n, initial, &error);
    if (status != STATUS_OK) return refuse_study(why, status, fleet->set.study, &error);
    fleet->site = calloc(fleet->n, sizeof *fleet->site);
    return fleet->site == NULL ? STATUS_NOMEM : STATUS_OK;
}

static enum status open_folder(struct fleet *fleet)
{
    const char *parent = access(MEMORY_FOLDER, W_OK | X_OK) == 0 ? MEMORY_FOLDER : folder_parent();
    return folder_new(fleet->folder, parent, "veilsum-fleet");
}

static enum status open_courier(struct fleet *fleet, struct site_error *why)
{
    const enum status status = courier_open(&fleet->courier, &fleet->manifest, &fleet->coordinator,
                                            &fleet->course.schedule, COURIER_QUIET_MS);
    if (status != STATUS_IO) return status;
    why->reason = REASON_NET_REFUSED;
    (void)snprintf(why->text, sizeof why->text, "%s", COURIER_NO_SOCKETS);
    return status;
}

static enum status fail(struct site_error *why, enum status status)
{
    if (status != STATUS_OK && why->text[0] == 0)
        (void)snprintf(why->text, sizeof why->text, "%s", status_text(status));
    return status;
}

enum status fleet_open(struct fleet *out, const struct fleet_settings *settings,
                       struct dataset *share, const float *initial, struct site_error *why)
{
    struct fleet *fleet = out;
    *fleet = (struct fleet){.set = *settings, .now_ms = 1000};
    *why = (struct site_error){.reason = REASON_MEMORY};
    if (fleet->set.threads == 0) fleet->set.threads = 1;
    /* Two streams, so that a run with dropouts has the keys and sessions of one without. */
    if (settings->system)
        rng_system(&fleet->rng);
    else
        rng_numbered(&fleet->rng, settings->seed);
    uint8_t seed[RNG_SEED_BYTES];
    rng_bytes(&fleet->rng, seed, sizeof seed);
    rng_seeded(&fleet->fate, seed);
    enum status status = open_course(fleet, initial, why);
    if (status == STATUS_OK) status = open_folder(fleet);
    if (status == STATUS_OK) status = fleet_enrol(fleet, share, why);
    if (status == STATUS_OK && settings->real) status = open_courier(fleet, why);
    return fail(why, status);
}

void fleet_close(struct fleet *fleet)
{
    courier_free(&fleet->courier);
    for (uint32_t v = 0; fleet->site != NULL && v < fleet->n; v++) {
        struct fleet_site *own = &fleet->site[v];
        site_close(&own->site);
        keyfile_wipe(&own->key);
        buffer_free(&own->letter);
        outbox_free(&own->answer);
        noised_free(&own->put_in);
        noise_free(&own->noise);
        rng_wipe(&own->then);
    }
    free(fleet->site);
    round_free(&fleet->round);
    spend_close(&fleet->spend);
    history_free(&fleet->history);
    course_free(&fleet->course);
    manifest_free(&fleet->manifest);
    keyfile_wipe(&fleet->coordinator);
    rng_wipe(&fleet->rng);
    rng_wipe(&fleet->fate);
    if (fleet->folder[0] != 0) folder_remove(fleet->folder);
    *fleet = (struct fleet){0};
}

bool fleet_done(const struct fleet *fleet)
{
    return course_done(&fleet->course);
}

struct local *fleet_local(struct fleet *fleet, uint32_t v)
{
    return &fleet->site[v].site.local;
}

enum status fleet_spent(const struct fleet *fleet, double *epsilon)
{
    double most = 0;
    for (uint32_t v = 0; v < fleet->n; v++) {
        double spent = 0;
        uint32_t releases = 0;
        TRY(budget_spent(&fleet->site[v].site.budget, &spent, &releases));
        if (spent > most) most = spent;
    }
    *epsilon = most;
    return STATUS_OK;
}
