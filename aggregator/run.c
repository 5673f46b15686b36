/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop of the coordinator: link -> round -> link. Part of the program: it prints. */
#include "aggregator/run_step.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregator/report.h"
#include "base/event.h"

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
 * phase leaves. A round that is over is stored as a whole by turn_end. */
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

void run_site_back(struct run *run, uint32_t site)
{
    if (!run->in_round || run->round.phase >= PHASE_DONE || !run->round.site[site].away) return;
    const struct outbox out = {0};
    round_back(&run->round, site);
    settle(run, run->round.phase, JOURNAL_BACK, site, (struct view){0}, &out);
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
    run->tell_ms = command_now_ms() + RUN_TELL_MS;
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
        turn_end(run);
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
            (void)malloc_trim(0); /* what glibc keeps of a round is many times what is in use */
            turn_begin(run);
        }
    }
    if (command_stopped()) run_give_up(run, EXIT_FAILED, "stopped by a signal; run again to go on");
}

/* Leave time for the last letters: until every site has gone that was there, or for so long none
 * was handed over any more. */
static void linger(struct run *run, uint64_t patience_ms)
{
    uint64_t end = command_now_ms() + patience_ms;
    size_t least = SIZE_MAX;
    while (!command_stopped() && command_now_ms() < end) {
        const size_t left = post_left(run);
        if (left == 0 && attend_over(run)) return;
        if (left < least) end = command_now_ms() + patience_ms;
        least = left < least ? left : least;
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
    spend_close(&run->spend);
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
    TRY(turn_restore(run));
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
        fprintf(stderr, "%s  journal.db and ledger.db in %s: %s\n  To do: %s.\n",
                reason_id(REASON_JOURNAL), coordinator->folder, status_text(status),
                reason_fix(REASON_JOURNAL));
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
