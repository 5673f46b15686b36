/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop of the coordinator: link -> round -> link. Part of the program: it prints. */
#include "aggregator/run_step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregator/report.h"
#include "base/event.h"

/* So many rounds in a row may fail before the study stops. */
#define FAILURES_MAX 5
/* How often a round says whom it waits for. */
#define TELL_MS 10000
/* So many, and one in ten of the study's, may fail after inputs were sent. */
#define BURNT_LEAST 3
/* Memory for inputs that are on their way; at least one always fits. */
#define POOL_BYTES (48u << 20)
/* After a restart sites are given so long, beyond the study's grace, to find their way back. */
#define RETURN_MS 10000
/* Events taken before the clock is looked at again. */
#define EVENTS_AT_ONCE 64

const char *run_name_of(const struct run *run, uint32_t site)
{
    return site < run->c->manifest.n ? run->c->manifest.member[site].name : "nobody";
}

void run_give_up(struct run *run, enum exit_code code, const char *why)
{
    fprintf(stderr, "the study stops: %s\n", why);
    run->over = true;
    run->exit = code;
}

static void tell_notes(const struct run *run, const struct outbox *out)
{
    for (size_t i = 0; i < out->n_notes; i++) {
        enum reason reason = out->note[i].reason;
        fprintf(stderr, "round %u: %s  %s (%s)\n", run->round.plan.round, reason_id(reason),
                reason_what(reason), run_name_of(run, out->note[i].site));
        if (run->events)
            event_write(stdout, "{s:s, s:i, s:s, s:s}", "event", "refused", "round",
                        (int)run->round.plan.round, "reason", reason_id(reason), "about",
                        run_name_of(run, out->note[i].site));
    }
}

/* --- the round's inputs ------------------------------------------------------------------------
 */

/* What the round took is noted; when that ended a phase, it is on disk before anything of the next
 * phase leaves. A round that is over is stored as a whole by end_round. */
static void settle(struct run *run, enum phase before, enum journal_kind kind, uint32_t site,
                   struct view bytes, const struct outbox *out)
{
    const enum phase now = run->round.phase;
    enum status status = STATUS_OK;
    tell_notes(run, out);
    /* What ends the last phase is never read again, and has shares in it. */
    if (before < PHASE_REVEAL) status = resume_note(&run->resume, kind, site, bytes);
    if (status == STATUS_OK && now != before && now < PHASE_DONE)
        status =
            resume_phase(&run->resume, &run->round, before <= PHASE_COLLECT && now > PHASE_COLLECT);
    if (status != STATUS_OK)
        run_give_up(run, EXIT_FAILED, "the journal could not be written: check disk space");
    else if (now != before && now < PHASE_DONE)
        post_all(run);
}

/* Of a masked input only the signed head is kept: the body is in the totals. One that put its
 * sender out of the round is kept as that, without its bytes. */
static void settle_message(struct run *run, enum phase before, uint32_t from, struct view message,
                           const struct outbox *out)
{
    const bool counted = bits_has(&run->round.survivors, from);
    if (msg_kind_of(message) != MSG_MASKED) {
        settle(run, before, JOURNAL_MESSAGE, from, message, out);
    } else if (counted) {
        struct reader r = reader_of(message);
        (void)read_u32(&r);
        settle(run, before, JOURNAL_MESSAGE, from, read_blob(&r, message.n), out);
    } else {
        settle(run, before, JOURNAL_OUT, from, (struct view){0}, out);
    }
}

static void take(struct run *run, uint32_t from, struct view message)
{
    if (!run->in_round) return;
    AUTO(outbox_free) struct outbox out = {0};
    const enum phase before = run->round.phase;
    enum status status = round_message(&run->round, from, message, command_now_ms(), &out);
    if (status == STATUS_STATE) return;
    if (status != STATUS_OK) {
        if (!run->site[from].told)
            fprintf(stderr, "round %u: a message of %s was refused: %s\n", run->round.plan.round,
                    run_name_of(run, from), status_text(status));
        run->site[from].told = true; /* once a round: the log is not its to fill */
        tell_notes(run, &out);
        return;
    }
    if (msg_kind_of(message) == MSG_MASKED && run->events)
        event_write(stdout, "{s:s, s:i, s:i}", "event", "received", "round",
                    (int)run->round.plan.round, "site", (int)from);
    settle_message(run, before, from, message, &out);
}

void run_site_gone(struct run *run, uint32_t site)
{
    if (!run->in_round || run->round.phase >= PHASE_DONE || run->round.site[site].away) return;
    AUTO(outbox_free) struct outbox out = {0};
    const enum phase before = run->round.phase;
    (void)!round_gone(&run->round, site, command_now_ms(), &out);
    settle(run, before, JOURNAL_GONE, site, (struct view){0}, &out);
}

void run_site_out(struct run *run, uint32_t site)
{
    if (!run->in_round || run->round.phase >= PHASE_DONE || run->round.site[site].out) return;
    AUTO(outbox_free) struct outbox out = {0};
    const enum phase before = run->round.phase;
    (void)!round_out(&run->round, site, command_now_ms(), &out);
    settle(run, before, JOURNAL_OUT, site, (struct view){0}, &out);
}

static void pass_deadline(struct run *run)
{
    const enum phase before = run->round.phase;
    if (before >= PHASE_DONE || command_now_ms() < run->round.deadline_ms) return;
    AUTO(outbox_free) struct outbox out = {0};
    (void)!round_deadline(&run->round, command_now_ms(), &out);
    settle(run, before, JOURNAL_DEADLINE, 0, (struct view){0}, &out);
}

/* --- between rounds ----------------------------------------------------------------------------
 */

static enum status open_round(struct run *run, const struct bits *cohort)
{
    struct coordinator *c = run->c;
    AUTO(plan_free) struct plan plan = {0};
    TRY(course_plan(&plan, &c->course, cohort));
    /* The sites would refuse it anyway; this way they get the model. */
    if (!schedule_bears(&c->course.schedule, &run->tale.spend.happened[ADVERSARY_COLLUSION], &plan,
                        c->study.privacy.epsilon))
        return STATUS_BUDGET;
    plan.round = run->tale.last_round + 1;
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
    run->tell_ms = command_now_ms() + TELL_MS;
    for (uint32_t v = 0; v < c->manifest.n; v++) {
        run->site[v].bytes_mark = link_bytes_in(run->link, v);
        run->site[v].told = false;
        if (bits_has(cohort, v)) run->site[v].ready = false;
    }
    post_all(run);
    return STATUS_OK;
}

static void try_round(struct run *run)
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
    /* A round that failed after an input came costs what it can at most, as in the sites' books. */
    const uint32_t inputs = (uint32_t)bits_count(&r->survivors);
    const bool spent = inputs > 0;
    if (spent)
        TRY(spend_add(&run->tale.spend, &r->plan,
                      r->phase == PHASE_DONE ? inputs : r->plan.params.quorum));
    if (r->phase == PHASE_FAILED) {
        judge_failure(run, spent);
    } else {
        run->tale.failures = 0;
        TRY(report_sums(c, r));
        TRY(course_apply(&c->course, r));
        TRY(history_add(&run->tale.history, &r->result, buffer_view(&r->result_bytes)));
    }
    TRY(post_model(run));
    return resume_end(&run->resume, r, &c->course, &run->tale, blob_view(run->model));
}

static void end_round(struct run *run)
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
    if (opened)
        report_round(run->c, &run->tale.spend, &run->round, attend_upload(run), run->events);
    if (!opened) stop_after_failures(run);
    if (!run->over && course_done(&run->c->course)) {
        post_finish(run);
        run->over = true;
    }
}

/* --- events ------------------------------------------------------------------------------------
 */

static void take_event(struct run *run, const struct link_event *event)
{
    const uint32_t v = (uint32_t)event->peer;
    switch (event->kind) {
    case LINK_MESSAGE:
        if (msg_kind_of(event->message) == MSG_HELLO)
            attend_hello(run, v, event->message);
        else
            take(run, v, event->message);
        break;
    case LINK_UP:
        run->site[v].up = true;
        run->site[v].expected = false;
        run->site[v].lost_ms = UINT64_MAX;
        break;
    case LINK_DOWN:
        run->site[v].up = run->site[v].ready = false;
        run->site[v].lost_ms = command_now_ms();
        break;
    default:
        break;
    }
}

static void take_events(struct run *run)
{
    for (size_t i = 0; i < EVENTS_AT_ONCE && !run->over; i++) {
        struct link_event event = {0};
        link_poll(run->link, i == 0 ? 50 : 0, &event);
        if (event.kind == LINK_NOTHING) return;
        take_event(run, &event);
        if (run->in_round && run->round.phase >= PHASE_DONE) return;
    }
}

static void tell_waiting(struct run *run)
{
    if (command_now_ms() < run->tell_ms) return;
    run->tell_ms = command_now_ms() + TELL_MS;
    report_waiting(run->c, &run->round);
}

/* Nobody is owed a letter of the last round, or it had its time: who missed it catches up. */
static bool letters_gone(const struct run *run)
{
    return bits_count(&run->owed) == 0 ||
           command_now_ms() - run->gather_ms >= run->c->study.deadlines.grace_ms;
}

static void tend(struct run *run)
{
    if (run->round.phase >= PHASE_DONE)
        end_round(run);
    else
        tell_waiting(run);
}

static void loop(struct run *run)
{
    run->gather_ms = command_now_ms();
    while (!run->over && !command_stopped()) {
        take_events(run);
        if (run->in_round && !run->over) attend_miss(run);
        if (run->in_round && !run->over) pass_deadline(run);
        if (run->in_round && !run->over) tend(run);
        /* What could not be written down must not be told. */
        if (run->over) break;
        post_letters(run);
        if (!run->in_round && letters_gone(run)) {
            round_free(&run->round);
            try_round(run);
        }
    }
    if (command_stopped()) run_give_up(run, EXIT_FAILED, "stopped by a signal; run again to go on");
}

/* Leave time for the last letters: until every site has gone that was there, or the time is over.
 */
static void linger(struct run *run, uint64_t patience_ms)
{
    const uint64_t end = command_now_ms() + patience_ms;
    while (!command_stopped() && command_now_ms() < end) {
        if (post_done(run) && attend_over(run)) return;
        struct link_event event = {0};
        link_poll(run->link, 50, &event);
        take_event(run, &event);
        post_letters(run);
    }
}

static void run_free(struct run *run)
{
    round_free(&run->round);
    link_free(&run->link);
    resume_close(&run->resume);
    tale_free(&run->tale);
    blob_free(&run->model);
    bits_free(&run->owed);
    rng_wipe(&run->rng);
    free(run->site);
}

static enum status restore(struct run *run)
{
    struct coordinator *c = run->c;
    TRY(bits_new(&run->tale.banned, c->manifest.n));
    TRY(resume_open(&run->resume, c->folder, &c->manifest));
    TRY(resume_restore(&run->resume, &c->course, &run->tale, &run->round, &run->round_config,
                       command_now_ms()));
    run->in_round = run->round.plan.n_segments > 0;
    if (run->tale.last_round > 0)
        fprintf(stderr, "going on after round %u%s\n", run->tale.last_round,
                run->in_round ? ", which is still open" : "");
    if (run->in_round) {
        run->round.threads = c->threads;
        TRY(post_model(run));
        post_all(run);
    }
    return STATUS_OK;
}

static enum status start(struct run *run, const char *endpoint)
{
    const uint32_t n = run->c->manifest.n;
    run->site = calloc(n, sizeof *run->site);
    AUTO(attend_keys_free) struct link_key *key = calloc(n, sizeof *key);
    if (run->site == NULL || key == NULL) return STATUS_NOMEM;
    for (uint32_t v = 0; v < n; v++) {
        run->site[v].lost_ms = run->in_round ? command_now_ms() + RETURN_MS : UINT64_MAX;
        run->site[v].expected = !run->in_round && course_done(&run->c->course);
        memcpy(key[v].bytes, run->c->manifest.member[v].transport, LINK_KEY_BYTES);
    }
    const struct link_settings settings = {.message_bytes =
                                               schedule_message_bytes(&run->c->course.schedule),
                                           .pool_bytes = POOL_BYTES,
                                           .queue = 16};
    return link_listen(&run->link, endpoint, run->c->key.transport, n, key, &settings);
}

enum exit_code run_study(struct coordinator *coordinator, const char *endpoint, bool events)
{
    command_catch_stop();
    command_raise_files();
    AUTO(run_free) struct run run = {.c = coordinator, .events = events};
    run.round_config = (struct round_config){.manifest = &coordinator->manifest,
                                             .identity = coordinator->key.identity};
    rng_system(&run.rng);
    enum status status = bits_new(&run.owed, coordinator->manifest.n);
    if (status == STATUS_OK) status = restore(&run);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s  journal.db in %s: %s\n  To do: %s.\n", reason_id(REASON_JOURNAL),
                coordinator->folder, status_text(status), reason_fix(REASON_JOURNAL));
        return EXIT_FAILED;
    }
    status = start(&run, endpoint);
    if (status != STATUS_OK) {
        fprintf(stderr, "cannot listen at %s: %s\n", endpoint, status_text(status));
        return EXIT_FAILED;
    }
    fprintf(stderr, "listening on port %u for %u sites\n", link_port(run.link),
            coordinator->manifest.n);
    if (events)
        event_write(stdout, "{s:s, s:i}", "event", "listening", "port", (int)link_port(run.link));
    uint64_t patience_ms = coordinator->study.deadlines.grace_ms + 2000;
    if (!run.in_round && course_done(&coordinator->course)) {
        post_finish(&run);
        patience_ms = coordinator->study.deadlines.gather_ms;
    } else {
        loop(&run);
    }
    if (run.exit == EXIT_OK || run.finished) linger(&run, patience_ms);
    if (run.exit == EXIT_OK && events) event_write(stdout, "{s:s}", "event", "finished");
    return run.exit;
}
