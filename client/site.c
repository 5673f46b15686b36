/* SPDX-License-Identifier: Apache-2.0 */
#include "client/site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "client/evaluate.h"
#include "client/explore.h"
#include "client/submit.h"
#include "client/train.h"
#include "client/vote.h"

__attribute__((format(printf, 4, 5))) static enum status
refuse(struct site_error *why, enum status status, enum reason reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    why->reason = reason;
    (void)vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    return status;
}

/* Two processes of one site would take each other's connection. */
static enum status lock_folder(struct site *site, struct site_error *why)
{
    int folder = open(site->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return refuse(why, STATUS_IO, REASON_KEY_FILE, "%s: %s", site->folder, strerror(errno));
    site->lock = folder;
    if (flock(folder, LOCK_EX | LOCK_NB) == 0) return STATUS_OK;
    return refuse(why, STATUS_IO, REASON_JOURNAL,
                  "%s is in use by another veilsum-client, which must end first", site->folder);
}

static enum status open_keys(struct site *site, struct site_error *why)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, site->folder, "key"));
    enum status status = keyfile_read(&site->key, path);
    if (status != STATUS_OK)
        return refuse(why, status, REASON_KEY_FILE, "%s: %s", path, status_text(status));
    TRY(file_path(path, sizeof path, site->folder, "manifest"));
    AUTO(buffer_free) struct buffer bytes = {0};
    status = file_read(&bytes, path, MANIFEST_BYTES_MAX);
    if (status != STATUS_OK)
        return refuse(why, status, REASON_MANIFEST, "%s: %s", path, status_text(status));
    enum reason reason = REASON_NONE;
    status = manifest_read(&site->manifest, buffer_view(&bytes), &reason);
    if (status != STATUS_OK)
        return refuse(why, status, reason, "%s: %s", path, reason_what(reason));
    struct hash hash = manifest_hash(&site->manifest);
    char hex[2 * HASH_BYTES + 1];
    hash_hex(hex, &hash, HASH_BYTES);
    TRY(file_path(path, sizeof path, site->folder, "manifest.pin"));
    AUTO(buffer_free) struct buffer pin = {0};
    status = file_read(&pin, path, 4096);
    if (status != STATUS_OK || pin.n < sizeof hex - 1 || memcmp(pin.at, hex, sizeof hex - 1) != 0)
        return refuse(why, STATUS_AUTH, REASON_MANIFEST, "%s does not hold the manifest's hash %s",
                      path, hex);
    struct member own;
    member_of(&own, &site->key, false);
    for (site->self = 0; site->self < site->manifest.n; site->self++)
        if (member_same(&site->manifest.member[site->self], &own)) return STATUS_OK;
    return refuse(why, STATUS_AUTH, REASON_MEMBER, "the keys of %s are not in the manifest",
                  site->key.name);
}

static enum status open_study(struct site *site, struct site_error *why)
{
    char path[FILE_PATH_MAX];
    struct settings_error error = {0};
    TRY(file_path(path, sizeof path, site->folder, "study.yaml"));
    enum status status = study_read(&site->study, path, &error);
    if (status != STATUS_OK)
        return refuse(why, status, REASON_STUDY_FILE, "%s:%u: %s", path, error.line, error.text);
    if (!hash_equal(&site->study.hash, &site->manifest.study))
        return refuse(why, STATUS_AUTH, REASON_STUDY, "%s is not the file that the manifest names",
                      path);
    TRY(file_path(path, sizeof path, site->folder, "policy.yaml"));
    status = policy_read(&site->policy, path, &error);
    if (status != STATUS_OK)
        return refuse(why, status, REASON_POLICY, "%s:%u: %s", path, error.line, error.text);
    if (!(site->study.privacy.epsilon <= site->manifest.floor.max_epsilon) ||
        !(site->study.privacy.delta <= site->manifest.floor.max_delta))
        return refuse(why, STATUS_RANGE, REASON_POLICY,
                      "the study asks for more epsilon or delta than the officers signed");
    if (!policy_allows(&site->policy, &site->study, &error))
        return refuse(why, STATUS_RANGE, REASON_POLICY, "%s:%u: %s", path, error.line, error.text);
    return STATUS_OK;
}

/* Of the session before, which this plan ends whatever comes of it, nothing can leave any more. */
static enum reason check_budget(struct site *site, const struct plan *plan)
{
    struct books_refusal refusal = {0};
    if (budget_balance(&site->budget, site->time_s) != STATUS_OK) return REASON_JOURNAL;
    const enum status status = budget_bears(&site->budget, plan, &refusal);
    if (status == STATUS_BUDGET)
        policy_refusal(&site->crossed, &site->policy, &site->study, &refusal);
    return status == STATUS_OK ? REASON_NONE
                               : (status == STATUS_BUDGET ? REASON_BUDGET : REASON_JOURNAL);
}

/* The site's own judgement of a plan: it is the study's, the policy allows it, the budget lasts. */
static enum reason judge(void *context, const struct plan *plan, struct view bytes)
{
    struct site *site = context;
    AUTO(state_free) struct state state = {0};
    enum status status = state_read(&state, bytes, site->layout.n);
    if (status != STATUS_OK) return status == STATUS_NOMEM ? REASON_MEMORY : REASON_MODEL;
    enum reason why = schedule_check(&site->schedule, plan, &state.keep, state.clip);
    if (why != REASON_NONE) return why;
    why = check_budget(site, plan);
    if (why != REASON_NONE) return why;
    state_free(&site->state);
    site->state = state;
    state = (struct state){0};
    return REASON_NONE;
}

/* Asked in a study without noise, where nothing but the sum itself hides an input. */
static enum reason weigh(void *context, const struct plan *plan, const struct bits *survivors)
{
    (void)plan;
    struct site *site = context;
    return participation_isolates(&site->past, survivors, site->self) ? REASON_ISOLATED
                                                                      : REASON_NONE;
}

/* The journal, and what it remembers. */
static enum status open_journal(struct site *site, struct site_error *why)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, site->folder, "journal.db"));
    enum status status = journal_open(&site->journal, path);
    if (status != STATUS_OK)
        return refuse(why, status, REASON_JOURNAL, "%s: %s", path, status_text(status));
    const struct hash manifest = manifest_hash(&site->manifest);
    status = journal_bind(site->journal, &manifest, false);
    if (status != STATUS_OK)
        return refuse(why, status, REASON_LEDGER, "%s: %s", path,
                      status == STATUS_STATE ? reason_what(REASON_LEDGER) : status_text(status));
    status = journal_restore(site->journal, &site->session.last_round, &site->session.transcript);
    if (status == STATUS_OK && site->session.config.weigh != NULL) {
        TRY(participation_new(&site->past, site->manifest.n));
        status = journal_past(site->journal, &site->past);
    }
    if (status != STATUS_OK)
        return refuse(why, status, REASON_JOURNAL, "%s: %s", path, status_text(status));
    return STATUS_OK;
}

static enum status open_budget(struct site *site, struct site_error *why)
{
    char path[FILE_PATH_MAX];
    struct ledger_fault fault = {0};
    TRY(policy_ledger(path, site->folder, &site->policy));
    const struct hash manifest = manifest_hash(&site->manifest);
    const enum status status =
        budget_open(&site->budget, path, site->journal, &site->policy, &site->study, &manifest,
                    site->key.identity, site->time_s, &fault);
    if (fault.what != NULL)
        return refuse(why, status, REASON_LEDGER, "%s: entry %llu: %s", path,
                      (unsigned long long)fault.number, fault.what);
    if (status != STATUS_OK)
        return refuse(why, status, REASON_LEDGER, "%s: %s", path,
                      status == STATUS_STATE ? reason_what(REASON_LEDGER) : status_text(status));
    return STATUS_OK;
}

/* The round that this site was in when it stopped: its budget is balanced. */
static enum status end_round(struct site *site, struct site_error *why)
{
    const struct outbox nothing = {0};
    uint32_t shown = 0;
    enum status status = journal_shown_end(site->journal, &shown);
    site->open = site->session.last_round > shown ? site->session.last_round : 0;
    if (status == STATUS_OK) status = site_remember(site, &nothing);
    return status == STATUS_OK ? STATUS_OK
                               : refuse(why, status, REASON_JOURNAL, "%s/journal.db: %s",
                                        site->folder, status_text(status));
}

enum status site_open(struct site *out, const char *folder, struct dataset *data, uint64_t time_s,
                      struct site_error *why)
{
    struct site *site = out;
    *site = (struct site){.time_s = time_s};
    *why = (struct site_error){.reason = REASON_MEMORY, .text = "memory ran out"};
    if (strlen(folder) >= sizeof site->folder)
        return refuse(why, STATUS_RANGE, REASON_POLICY, "the folder's name is too long");
    memcpy(site->folder, folder, strlen(folder) + 1);
    rng_system(&site->rng);
    TRY(lock_folder(site, why));
    TRY(open_keys(site, why));
    TRY(open_study(site, why));
    TRY(layout_of(&site->layout, &site->study.model.spec));
    struct settings_error error = {0};
    enum status status =
        schedule_of(&site->schedule, &site->study, &site->layout, site->manifest.n, &error);
    if (status != STATUS_OK)
        return refuse(why, status, REASON_STUDY_FILE,
                      "the study cannot be run by the manifest's %u sites: %s", site->manifest.n,
                      error.text);
    status = local_new(&site->local, &site->study, data);
    if (status != STATUS_OK)
        return refuse(why, status, REASON_DATA,
                      "the data has not the shape that the study's model names");
    site->local.self = site->self;
    const struct session_config config = {.manifest = &site->manifest,
                                          .self = site->self,
                                          .identity = site->key.identity,
                                          .judge = judge,
                                          .weigh = site->schedule.z > 0 ? NULL : weigh,
                                          .context = site,
                                          .slack_ms = site->study.deadlines.grace_ms + 5000,
                                          .rng = &site->rng};
    TRY(session_new(&site->session, &config));
    TRY(open_journal(site, why));
    TRY(open_budget(site, why));
    return end_round(site, why);
}

enum status site_hold_out(struct site *site, struct dataset *held, size_t *shared,
                          struct site_error *why)
{
    if (schedule_steps(&site->study, STEP_EVALUATE) == 0)
        return refuse(why, STATUS_RANGE, REASON_DATA, "the study has no evaluations");
    if (local_hold_out(&site->local, held) != STATUS_OK)
        return refuse(why, STATUS_RANGE, REASON_DATA,
                      "the held-out data has not the shape that the study's model names");
    const uint64_t room = schedule_room(&site->schedule), most = evaluate_most(&site->local);
    if (most > room)
        return refuse(why, STATUS_RANGE, REASON_DATA,
                      "a class has %llu held-out records and the study's sums hold %llu of a site",
                      (unsigned long long)most, (unsigned long long)room);
    const enum status status = evaluate_shared(shared, &site->local);
    return status == STATUS_OK ? STATUS_OK
                               : refuse(why, status, REASON_MEMORY, "%s", status_text(status));
}

void site_close(struct site *site)
{
    session_free(&site->session);
    budget_close(&site->budget);
    journal_close(&site->journal);
    local_free(&site->local);
    noised_free(&site->sum);
    participation_free(&site->past);
    state_free(&site->state);
    manifest_free(&site->manifest);
    keyfile_wipe(&site->key);
    rng_wipe(&site->rng);
    if (site->lock > 0) (void)close(site->lock);
    *site = (struct site){0};
}

/* Rehearsals: what was put in, as little-endian words, so that the sum can be checked. */
static enum status write_put_in(const struct site *site, const struct noised *noised)
{
    char name[64], path[FILE_PATH_MAX];
    (void)snprintf(name, sizeof name, "put-in-%u", site->session.plan.round);
    TRY(file_path(path, sizeof path, site->put_in, name));
    AUTO(buffer_wipe) struct buffer bytes = {0};
    write_packed(&bytes, noised->value, noised->n, 32);
    TRY(bytes.status);
    return file_write(path, buffer_view(&bytes), 0600);
}

static enum status work(struct site *site)
{
    const struct plan *plan = &site->session.plan;
    struct books_refusal refusal = {0};
    const enum status status = budget_reserve(&site->budget, plan, site->time_s, &refusal);
    if (status == STATUS_BUDGET)
        policy_refusal(&site->crossed, &site->policy, &site->study, &refusal);
    TRY(status);
    if (schedule_part(plan, site->self) == 0) return STATUS_OK;
    /* The noise first: the time that it takes must not mix with that of the data. */
    AUTO(noise_free) struct noise noise = {0};
    TRY(submit_noise(&noise, &site->session, &site->rng));
    AUTO(encoded_free) struct encoded sum = {0};
    TRY(local_load(&site->local, &site->state));
    if (plan->step == STEP_EXPLORE)
        TRY(explore_run(&sum, &site->local, plan, &site->rng));
    else if (plan->step == STEP_TRAIN)
        TRY(train_run(&sum, &site->local, plan, &site->session.roster_hash, &site->rng));
    else if (plan->step == STEP_VOTE)
        TRY(vote_run(&sum, &site->local, plan, &site->rng));
    else
        TRY(evaluate_run(&sum, &site->local, plan));
    return noise_add(&site->sum, &sum, &noise);
}

static enum status submit(struct site *site, const struct noised *sum, uint64_t now_ms,
                          struct outbox *out)
{
    if (site->put_in != NULL && !site->study.study.rehearsal) return STATUS_RANGE;
    TRY(submit_sum(&site->session, sum, now_ms, out));
    return site->put_in == NULL ? STATUS_OK : write_put_in(site, sum);
}

static enum status give_up(struct site *site, enum status status, struct outbox *out)
{
    enum reason why = REASON_TRAINER;
    if (status == STATUS_NOMEM) why = REASON_MEMORY;
    if (status == STATUS_BUDGET) why = REASON_BUDGET;
    /* Ledger or journal: files, or what is in them. */
    if (status == STATUS_IO || status == STATUS_STATE || status == STATUS_FORMAT)
        why = REASON_JOURNAL;
    outbox_free(out);
    session_quit(&site->session, why, out);
    return status;
}

enum status site_work(struct site *site, struct outbox *out)
{
    noised_free(&site->sum);
    const enum status status = work(site);
    site->worked = status == STATUS_OK;
    return status == STATUS_OK ? STATUS_OK : give_up(site, status, out);
}

enum status site_submit(struct site *site, uint64_t now_ms, struct outbox *out)
{
    AUTO(noised_free) struct noised sum = site->sum;
    site->sum = (struct noised){0};
    site->worked = false;
    const enum status status = submit(site, &sum, now_ms, out);
    return status == STATUS_OK ? STATUS_OK : give_up(site, status, out);
}

enum status site_finish(struct site *site, struct view message)
{
    struct view state = {0};
    TRY(session_finish(&site->session, message, &state));
    AUTO(state_free) struct state last = {0};
    TRY(state_read(&last, state, site->layout.n));
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, site->folder, "final.state"));
    return file_write(path, state, 0600);
}
