/* SPDX-License-Identifier: Apache-2.0 */
/* How a round begins and ends at the coordinator. Part of the program: it prints. */
#include <stdio.h>

#include "aggregator/report.h"
#include "aggregator/run_step.h"
#include "base/file.h"

/* So many rounds in a row may fail before the study stops. */
#define FAILURES_MAX 5
/* So many, and one in ten of the study's, may fail after inputs were sent. */
#define BURNT_LEAST 3

/* --- the ledger -------------------------------------------------------------------------------
 */

static struct pen pen_of(const struct run *run)
{
    return (struct pen){.identity = run->c->key.identity,
                        .time_s = command_time_s(),
                        .ledger = run->spend.ledger.head};
}

static enum status end_in_trail(struct run *run)
{
    const struct pen pen = pen_of(run);
    return resume_settled(&run->resume, &run->c->manifest, &pen);
}

/* The journal is ahead of the ledger by one round's end at most. */
static enum status settle_results(struct run *run)
{
    const struct hash start = {0};
    struct view results = {0};
    const uint32_t n = history_since(&run->tale.history, &start, &results);
    struct reader r = reader_of(results);
    for (uint32_t i = 0; i < n; i++) {
        struct result result = {0};
        TRY(result_read(&result, read_blob(&r, MSG_RESULT_BYTES_MAX),
                        run->c->manifest.coordinator.identity));
        TRY(spend_end(&run->spend, result.round, result.n_survivors, true, command_time_s()));
    }
    return end_in_trail(run);
}

enum status turn_restore(struct run *run)
{
    const struct coordinator *c = run->c;
    const struct hash manifest = manifest_hash(&c->manifest);
    char path[FILE_PATH_MAX];
    struct ledger_fault fault = {0};
    TRY(file_path(path, sizeof path, c->folder, "ledger.db"));
    const enum status status =
        spend_open(&run->spend, path, &c->course.schedule, &manifest, c->key.identity,
                   run->tale.last_round > 0, command_time_s(), &fault);
    if (fault.what != NULL)
        fprintf(stderr, "%s: entry %llu does not hold: %s\n", path,
                (unsigned long long)fault.number, fault.what);
    TRY(status);
    return settle_results(run);
}

/* --- between rounds ----------------------------------------------------------------------------
 */

static enum status open_round(struct run *run, const struct bits *cohort)
{
    struct coordinator *c = run->c;
    AUTO(plan_free) struct plan plan = {0};
    TRY(course_plan(&plan, &c->course, cohort));
    plan.round = run->tale.last_round + 1;
    /* The sites would refuse it anyway; this way they get the model. */
    TRY(spend_reserve(&run->spend, &plan, command_time_s()));
    rng_bytes(&run->rng, plan.session, sizeof plan.session);
    plan.manifest = manifest_hash(&c->manifest);
    plan.study = c->study.hash;
    plan.previous = history_last(&run->tale.history);
    if (run->model == NULL) TRY(post_model(run));
    plan.state = hash_of("state", blob_view(run->model));
    TRY(round_start(&run->round, &run->round_config, &plan, command_now_ms()));
    run->round.threads = c->threads;
    TRY(resume_begin(&run->resume, &run->round));
    run->tale.last_round++;
    run->in_round = true;
    run->tell_ms = command_now_ms() + RUN_TELL_MS;
    for (uint32_t v = 0; v < c->manifest.n; v++) {
        run->site[v].bytes_mark = link_bytes_in(run->link, v);
        run->site[v].told = false;
        if (bits_has(cohort, v)) run->site[v].ready = false;
    }
    post_all(run);
    return STATUS_OK;
}

void turn_begin(struct run *run)
{
    AUTO(bits_free) struct bits cohort = {0};
    if (bits_new(&cohort, run->c->manifest.n) != STATUS_OK) return;
    const uint64_t now = command_now_ms();
    if (attend_gathered(run, now, &cohort)) {
        enum status status = open_round(run, &cohort);
        if (status == STATUS_BUDGET) post_finish(run);
        if (status == STATUS_BUDGET)
            run_give_up(run, EXIT_REFUSED, "the study's epsilon is used up before its last round");
        else if (status == STATUS_IO)
            run_give_up(run, EXIT_FAILED, "the journal could not be written: check disk space");
        else if (status != STATUS_OK)
            run_give_up(run, EXIT_REFUSED, "no round can be planned for the sites that are here");
    } else if (now - run->gather_ms > run->c->study.deadlines.gather_ms) {
        run_give_up(run, EXIT_TIMEOUT, "too few sites reported before the gathering's deadline");
        attend_tell_missing(run);
    }
}

/* --- the end of a round ------------------------------------------------------------------------
 */

/* A failed round whose inputs had left has cost every site its worst case, so their number is
 * limited over the whole study; a site that broke the protocol is not asked again. */
static void judge_failure(struct run *run, bool spent)
{
    const struct round *r = &run->round;
    for (uint32_t v = 0; v < run->c->manifest.n; v++) {
        if (bits_has(&run->tale.banned, v) || !round_convicts(r, v)) continue;
        bits_set(&run->tale.banned, v);
        fprintf(stderr, "%s broke the protocol and is not asked again\n", run_name_of(run, v));
    }
    run->tale.burnt += spent ? 1 : 0;
    run->tale.failures++;
}

static void stop_after_failures(struct run *run)
{
    if (run->tale.burnt > BURNT_LEAST + run->c->study.rounds.count / 10) {
        post_finish(run);
        run_give_up(run, EXIT_REFUSED, "too many rounds failed after inputs were sent");
    } else if (run->tale.failures >= FAILURES_MAX) {
        run_give_up(run, command_exit(run->round.why),
                    "too many rounds failed one after the other");
    }
}

/* Everything that follows from the round, on disk before any site learns that it is over. */
static enum status conclude(struct run *run)
{
    struct coordinator *c = run->c;
    const struct round *r = &run->round;
    if (r->phase == PHASE_FAILED) {
        judge_failure(run, bits_count(&r->survivors) > 0);
    } else {
        run->tale.failures = 0;
        TRY(report_sums(c, r));
        TRY(report_evaluation(c, r));
        TRY(course_apply(&c->course, r));
        TRY(history_add(&run->tale.history, &r->result, buffer_view(&r->result_bytes)));
    }
    TRY(post_model(run));
    const struct pen pen = pen_of(run);
    TRY(resume_end(&run->resume, r, &c->course, &run->tale, blob_view(run->model), &pen));
    /* Until here the round may go on after a crash: it counts at its worst. */
    TRY(spend_end(&run->spend, r->plan.round, (uint32_t)bits_count(&r->survivors),
                  r->phase == PHASE_DONE, command_time_s()));
    return end_in_trail(run);
}

void turn_end(struct run *run)
{
    const bool opened = run->round.phase == PHASE_DONE;
    run->gather_ms = command_now_ms();
    enum status status = conclude(run);
    run->in_round = false;
    if (status == STATUS_RANGE) {
        run_give_up(run, EXIT_FAILED, "the training diverged: lower rounds.learning_rate");
        return;
    }
    if (status != STATUS_OK) {
        run_give_up(run, EXIT_FAILED, "the result could not be stored: check disk space");
        return;
    }
    post_all(run);
    post_letters(run); /* results first: the end would take their place */
    if (opened) report_round(run->c, &run->spend, &run->round, attend_upload(run), run->events);
    if (!opened) stop_after_failures(run);
    if (!run->over && course_done(&run->c->course)) {
        post_finish(run);
        run->over = true;
    }
}
