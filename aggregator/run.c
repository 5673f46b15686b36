/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop of the coordinator: link -> round -> link. Part of the program: it prints. */
#include "aggregator/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregator/history.h"
#include "aggregator/report.h"
#include "base/event.h"
#include "base/file.h"
#include "protocol/link.h"

/* So many rounds in a row may fail before the study stops. */
#define FAILURES_MAX 5
/* How often a round says whom it waits for. */
#define TELL_MS 10000
/* So many, and one in ten of the study's, may fail after inputs were sent. */
#define BURNT_LEAST 3

struct attendance {
    bool banned;            /* was convicted of breaking the protocol: not asked again */
    bool up, ready;         /* connected; has said hello since its last round */
    uint64_t lost_ms;       /* when the connection ended; UINT64_MAX: handled, or not lost */
    uint64_t bytes_mark;    /* link_bytes_in when the round began */
    struct hash transcript; /* where it stands, by its own word */
};

struct run {
    struct coordinator *c;
    struct link *link;
    bool events, over;
    enum exit_code exit;
    struct attendance *site; /* manifest.n */
    struct round round;
    bool in_round;
    uint32_t last_round;
    uint32_t failures;  /* one after the other */
    uint32_t burnt;     /* rounds that cost budget and gave nothing */
    uint64_t gather_ms; /* when waiting for the cohort began */
    uint64_t tell_ms;   /* when to say again whom a round waits for */
    struct history history;
    struct rng rng;
};

static const char *name_of(const struct run *run, uint32_t site)
{
    return site < run->c->manifest.n ? run->c->manifest.member[site].name : "nobody";
}

static void flush(struct run *run, struct outbox *out)
{
    for (size_t i = 0; i < out->n_letters; i++)
        /* A site that is not there gets nothing; it catches up when it is back. */
        (void)!link_send(run->link, out->letter[i].to, buffer_view(&out->letter[i].bytes));
    for (size_t i = 0; i < out->n_notes; i++) {
        enum reason reason = out->note[i].reason;
        fprintf(stderr, "round %u: %s  %s (%s)\n", run->round.plan.round, reason_id(reason),
                reason_what(reason), name_of(run, out->note[i].site));
        if (run->events)
            event_write(stdout, "{s:s, s:i, s:s, s:s}", "event", "refused", "round",
                        (int)run->round.plan.round, "reason", reason_id(reason), "about",
                        name_of(run, out->note[i].site));
    }
    outbox_free(out);
}

static enum status state_bytes(const struct run *run, struct buffer *out)
{
    state_write(out, &run->c->course.state);
    return out->status;
}

/* --- between rounds --------------------------------------------------------------------------- */

/* Everybody who is here has reported, and who is missing had time to come: the first round waits
 * for all enrolled sites until the gathering ends, later ones only for the study's grace. */
static bool gathered(const struct run *run, uint64_t now, struct bits *cohort)
{
    uint32_t missing = 0, count = 0;
    for (uint32_t v = 0; v < run->c->manifest.n; v++) {
        if (run->site[v].banned) continue;
        if (run->site[v].up && run->site[v].ready) {
            bits_set(cohort, v);
            count++;
        } else {
            missing++;
        }
    }
    if (missing == 0) return true;
    uint64_t patience =
        run->last_round == 0 ? run->c->study.deadlines.gather_ms : run->c->study.deadlines.grace_ms;
    return count >= run->c->course.schedule.params.quorum && now - run->gather_ms >= patience;
}

static enum status send_opening(struct run *run, uint32_t to, struct view state)
{
    struct opening opening = {.plan = buffer_view(&run->round.plan_bytes), .state = state};
    opening.n_results = history_since(&run->history, &run->site[to].transcript, &opening.results);
    AUTO(buffer_free) struct buffer bytes = {0};
    opening_write(&bytes, &opening);
    TRY(bytes.status);
    (void)!link_send(run->link, to, buffer_view(&bytes));
    return STATUS_OK;
}

static enum status open_round(struct run *run, const struct bits *cohort)
{
    AUTO(plan_free) struct plan plan = {0};
    TRY(course_plan(&plan, &run->c->course, cohort));
    /* The sites would refuse it anyway; this way they get the model. */
    if (!schedule_bears(&run->c->course.schedule, &run->c->spend.happened[ADVERSARY_COLLUSION],
                        &plan, run->c->study.privacy.epsilon))
        return STATUS_BUDGET;
    plan.round = run->last_round + 1;
    rng_bytes(&run->rng, plan.session, sizeof plan.session);
    plan.manifest = manifest_hash(&run->c->manifest);
    plan.study = run->c->study.hash;
    plan.previous = history_last(&run->history);
    AUTO(buffer_free) struct buffer state = {0};
    TRY(state_bytes(run, &state));
    plan.state = hash_of("state", buffer_view(&state));
    const struct round_config config = {.manifest = &run->c->manifest,
                                        .identity = run->c->key.identity};
    TRY(round_start(&run->round, &config, &plan, command_now_ms()));
    run->last_round++;
    run->in_round = true;
    run->tell_ms = command_now_ms() + TELL_MS;
    for (uint32_t v = 0; v < run->c->manifest.n; v++) {
        run->site[v].bytes_mark = link_bytes_in(run->link, v);
        if (!bits_has(cohort, v)) continue;
        run->site[v].ready = false;
        TRY(send_opening(run, v, buffer_view(&state)));
    }
    return STATUS_OK;
}

static void give_up(struct run *run, enum exit_code code, const char *why)
{
    fprintf(stderr, "the study stops: %s\n", why);
    run->over = true;
    run->exit = code;
}

/* --- the end of a round ------------------------------------------------------------------------
 */

/* Bytes of the survivor that sent most in this round: nothing is hidden in a mean. */
static uint64_t largest_upload(const struct run *run)
{
    uint64_t most = 0;
    for (uint32_t v = 0; v < run->c->manifest.n; v++) {
        uint64_t up = link_bytes_in(run->link, v) - run->site[v].bytes_mark;
        if (bits_has(&run->round.survivors, v) && up > most) most = up;
    }
    return most;
}

static enum status finish_round(struct run *run)
{
    TRY(course_apply(&run->c->course, &run->round));
    TRY(history_add(&run->history, &run->round.result, buffer_view(&run->round.result_bytes)));
    TRY(report_files(run->c, &run->round));
    report_round(run->c, &run->round, largest_upload(run), run->events);
    return STATUS_OK;
}

static enum status send_finish(struct run *run)
{
    AUTO(buffer_free) struct buffer state = {0};
    TRY(state_bytes(run, &state));
    struct finish end = {.manifest = manifest_hash(&run->c->manifest),
                         .state = buffer_view(&state)};
    for (uint32_t v = 0; v < run->c->manifest.n; v++) {
        end.n_results = history_since(&run->history, &run->site[v].transcript, &end.results);
        AUTO(buffer_free) struct buffer bytes = {0};
        finish_write(&bytes, &end, run->c->key.identity);
        TRY(bytes.status);
        (void)!link_send(run->link, v, buffer_view(&bytes));
    }
    return STATUS_OK;
}

/* The study is over, or cannot go on: every site gets the model as it is. */
static void finish(struct run *run)
{
    run->over = true;
    if (send_finish(run) != STATUS_OK) give_up(run, EXIT_FAILED, "the end could not be sent");
}

/* A failed round whose inputs had left has cost every site its worst case, so their number is
 * limited over the whole study; a site that broke the protocol is not asked again. */
static void end_failed(struct run *run, bool spent)
{
    const struct round *r = &run->round;
    for (uint32_t v = 0; v < run->c->manifest.n; v++) {
        if (run->site[v].banned || !round_convicts(r, v)) continue;
        run->site[v].banned = true;
        fprintf(stderr, "%s broke the protocol and is not asked again\n", name_of(run, v));
    }
    run->burnt += spent ? 1 : 0;
    if (run->burnt > BURNT_LEAST + run->c->study.rounds.count / 10) {
        finish(run);
        give_up(run, EXIT_REFUSED, "too many rounds failed after inputs were sent");
    } else if (++run->failures >= FAILURES_MAX) {
        give_up(run, command_exit(r->why), "too many rounds failed one after the other");
    }
}

static void end_round(struct run *run)
{
    struct round *r = &run->round;
    run->in_round = false;
    run->gather_ms = command_now_ms();
    /* What the survivor set made public is spent, also when the round failed after it. */
    bool spent = r->phase == PHASE_DONE || !hash_is_zero(&r->survivors_hash);
    if (spent &&
        spend_add(&run->c->spend, &r->plan, (uint32_t)bits_count(&r->survivors)) != STATUS_OK)
        give_up(run, EXIT_BUG, "a release could not be accounted for");
    if (r->phase == PHASE_FAILED) {
        end_failed(run, spent);
        round_free(r);
        return;
    }
    run->failures = 0;
    enum status status = finish_round(run);
    round_free(r);
    if (status == STATUS_RANGE)
        give_up(run, EXIT_FAILED, "the training diverged: lower rounds.learning_rate");
    else if (status != STATUS_OK)
        give_up(run, EXIT_FAILED, "the result could not be stored: check disk space");
    else if (course_done(&run->c->course))
        finish(run);
}

static void try_round(struct run *run)
{
    AUTO(bits_free) struct bits cohort = {0};
    if (bits_new(&cohort, run->c->manifest.n) != STATUS_OK) return;
    uint64_t now = command_now_ms();
    if (gathered(run, now, &cohort)) {
        enum status status = open_round(run, &cohort);
        if (status == STATUS_BUDGET) finish(run);
        if (status == STATUS_BUDGET)
            give_up(run, EXIT_REFUSED, "the study's epsilon is used up before its last round");
        else if (status != STATUS_OK)
            give_up(run, EXIT_REFUSED, "no round can be planned for the sites that are here");
    } else if (now - run->gather_ms > run->c->study.deadlines.gather_ms) {
        give_up(run, EXIT_TIMEOUT, "too few sites reported before the gathering's deadline");
        for (uint32_t v = 0; v < run->c->manifest.n; v++)
            if (!run->site[v].up || !run->site[v].ready)
                fprintf(stderr, "  missing: %s (%s)\n", name_of(run, v),
                        run->site[v].up ? "connected, not ready" : "not connected");
    }
}

/* --- events -------------------------------------------------------------------------------------
 */

static void take_hello(struct run *run, uint32_t from, struct view frame)
{
    struct hello hello = {0};
    if (hello_read(&hello, frame, run->c->manifest.member[from].identity) != STATUS_OK ||
        hello.from != from) {
        fprintf(stderr, "%s  %s reports with another key or number than the manifest's: %s\n",
                reason_id(REASON_MANIFEST), name_of(run, from), reason_fix(REASON_MANIFEST));
        return;
    }
    if (!hash_equal(&hello.study, &run->c->study.hash)) {
        fprintf(stderr, "%s  %s has another study file: %s\n", reason_id(REASON_STUDY),
                name_of(run, from), reason_fix(REASON_STUDY));
        return;
    }
    run->site[from].transcript = hello.transcript;
    run->site[from].ready = true;
}

static void take(struct run *run, uint32_t from, struct view frame)
{
    enum msg_kind kind = msg_kind_of(frame);
    if (kind == MSG_HELLO) {
        take_hello(run, from, frame);
        return;
    }
    if (!run->in_round) return;
    AUTO(outbox_free) struct outbox out = {0};
    enum status status = round_message(&run->round, from, frame, command_now_ms(), &out);
    if (status == STATUS_OK && kind == MSG_MASKED && run->events)
        event_write(stdout, "{s:s, s:i, s:i}", "event", "received", "round",
                    (int)run->round.plan.round, "site", (int)from);
    if (status != STATUS_OK && status != STATUS_STATE)
        fprintf(stderr, "round %u: a message of %s was refused: %s\n", run->round.plan.round,
                name_of(run, from), status_text(status));
    flush(run, &out);
}

static void take_event(struct run *run, const struct link_event *event)
{
    uint32_t v = (uint32_t)event->peer;
    switch (event->kind) {
    case LINK_MESSAGE:
        take(run, v, event->frame);
        break;
    case LINK_UP:
        run->site[v].up = true;
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

/* Sites whose connection did not come back within the study's grace are not waited for. */
static void miss_sites(struct run *run)
{
    for (uint32_t v = 0; v < run->c->manifest.n; v++) {
        if (run->site[v].lost_ms == UINT64_MAX ||
            command_now_ms() - run->site[v].lost_ms < run->c->study.deadlines.grace_ms)
            continue;
        run->site[v].lost_ms = UINT64_MAX;
        AUTO(outbox_free) struct outbox out = {0};
        (void)!round_gone(&run->round, v, command_now_ms(), &out);
        flush(run, &out);
    }
}

static void tell_waiting(struct run *run)
{
    if (command_now_ms() < run->tell_ms) return;
    run->tell_ms = command_now_ms() + TELL_MS;
    report_waiting(run->c, &run->round);
}

static void loop(struct run *run)
{
    run->gather_ms = command_now_ms();
    while (!run->over && !command_stopped()) {
        struct link_event event = {0};
        link_poll(run->link, 50, &event);
        take_event(run, &event);
        if (run->in_round) {
            AUTO(outbox_free) struct outbox out = {0};
            miss_sites(run);
            (void)!round_deadline(&run->round, command_now_ms(), &out);
            flush(run, &out);
            if (run->round.phase >= PHASE_DONE)
                end_round(run);
            else
                tell_waiting(run);
        }
        if (!run->in_round && !run->over) try_round(run);
    }
    if (command_stopped()) give_up(run, EXIT_FAILED, "stopped by a signal");
}

/* Leave time for the last frames: until every site has gone, or the grace is over. */
static void linger(struct run *run)
{
    uint64_t end = command_now_ms() + run->c->study.deadlines.grace_ms + 2000;
    for (;;) {
        bool any = false;
        for (uint32_t v = 0; v < run->c->manifest.n; v++) any = any || run->site[v].up;
        if (!any || command_now_ms() >= end) return;
        struct link_event event = {0};
        link_poll(run->link, 50, &event);
        take_event(run, &event);
    }
}

static void run_free(struct run *run)
{
    round_free(&run->round);
    link_free(&run->link);
    history_free(&run->history);
    rng_wipe(&run->rng);
    free(run->site);
}

static enum status start(struct run *run, const char *endpoint)
{
    const uint32_t n = run->c->manifest.n;
    run->site = calloc(n, sizeof *run->site);
    struct link_key *key = calloc(n, sizeof *key);
    if (run->site == NULL || key == NULL) {
        free(key);
        return STATUS_NOMEM;
    }
    for (uint32_t v = 0; v < n; v++) {
        run->site[v].lost_ms = UINT64_MAX;
        memcpy(key[v].bytes, run->c->manifest.member[v].transport, LINK_KEY_BYTES);
    }
    const struct link_settings settings = {
        .frame_bytes = schedule_frame_bytes(&run->c->course.layout, n), .queue = 16};
    enum status status =
        link_listen(&run->link, endpoint, run->c->key.transport, n, key, &settings);
    free(key);
    return status;
}

enum exit_code run_study(struct coordinator *coordinator, const char *endpoint, bool events)
{
    command_catch_stop();
    AUTO(run_free) struct run run = {.c = coordinator, .events = events};
    rng_system(&run.rng);
    enum status status = start(&run, endpoint);
    if (status != STATUS_OK) {
        fprintf(stderr, "cannot listen at %s: %s\n", endpoint, status_text(status));
        return EXIT_FAILED;
    }
    fprintf(stderr, "listening on port %u for %u sites\n", link_port(run.link),
            coordinator->manifest.n);
    if (events)
        event_write(stdout, "{s:s, s:i}", "event", "listening", "port", (int)link_port(run.link));
    loop(&run);
    if (run.exit == EXIT_OK) {
        linger(&run);
        if (events) event_write(stdout, "{s:s}", "event", "finished");
    }
    return run.exit;
}
