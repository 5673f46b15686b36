/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop of a site: link -> session -> link. Part of the program: it prints. */
#include "client/run.h"

#include <stdio.h>
#include <string.h>

#include "base/event.h"
#include "protocol/link.h"

/* A handshake that breaks off looks like one with another key; so many in a row are no accident. */
#define STRIKES 3

struct run {
    struct site *site;
    struct link *link;
    bool events;
    bool over;
    enum exit_code exit;
    enum reason trouble; /* the last trouble told, so that each is told once */
    unsigned strikes;    /* handshakes in a row that looked like another's key */
};

static const char *member_name(const struct run *run, uint32_t site)
{
    return site < run->site->manifest.n ? run->site->manifest.member[site].name : "coordinator";
}

static void tell(struct run *run, const char *event)
{
    const struct session *session = &run->site->session;
    if (run->events)
        event_write(stdout, "{s:s, s:s, s:i}", "event", event, "site", run->site->key.name, "round",
                    (int)session->last_round);
}

static void tell_reason(struct run *run, enum reason reason, uint32_t about)
{
    fprintf(stderr, "%s  %s: %s (about %s).\n  To do: %s.\n", run->site->key.name,
            reason_id(reason), reason_what(reason), member_name(run, about), reason_fix(reason));
    if (run->events)
        event_write(stdout, "{s:s, s:s, s:i, s:s, s:s}", "event", "refused", "site",
                    run->site->key.name, "round", (int)run->site->session.last_round, "reason",
                    reason_id(reason), "about", member_name(run, about));
}

/* The line of the policy that stands against a release, for the officer. */
static void tell_limit(const struct run *run)
{
    const struct settings_error *crossed = &run->site->crossed;
    if (crossed->line > 0)
        fprintf(stderr, "%s/policy.yaml:%u: %s\n", run->site->folder, crossed->line, crossed->text);
    else
        fprintf(stderr, "%s: %s\n", run->site->key.name, crossed->text);
}

/* Refusals that no later round can mend end the program. */
static bool is_final(enum reason reason)
{
    switch (reason) {
    case REASON_MANIFEST:
    case REASON_STUDY:
    case REASON_FORK:
    case REASON_BUDGET:
    case REASON_POLICY:
    case REASON_NOISE:
    case REASON_THRESHOLD:
    case REASON_RING:
    case REASON_SEGMENTS:
    case REASON_GRAPH:
    case REASON_EQUIVOCATION:
    case REASON_JOURNAL:
    case REASON_TRAINER:
    case REASON_MEMORY:
        return true;
    default:
        return false;
    }
}

/* Journal first, then the wire. What cannot be sent now is asked for again when the connection is
 * back: HELLO names the session. */
static void flush(struct run *run, struct outbox *out)
{
    bool own = false; /* the refusals are this site's, not the coordinator's */
    if (site_remember(run->site, out) != STATUS_OK) {
        outbox_free(out);
        session_quit(&run->site->session, REASON_JOURNAL, out);
        own = true;
    }
    for (size_t i = 0; i < out->n_letters; i++) {
        struct blob *bytes = out->letter[i].bytes;
        const enum status sent = link_send(run->link, 0, bytes, NULL);
        if (sent != STATUS_OK)
            fprintf(stderr, "%s  a message could not be sent: %s\n", run->site->key.name,
                    sent == STATUS_IO ? "not connected" : status_text(sent));
        const enum msg_kind kind = msg_kind_of(blob_view(bytes));
        own = own || kind == MSG_ABORT;
        if (kind == MSG_SHARES) tell(run, "shared");
        if (kind == MSG_MASKED) tell(run, "masked");
    }
    for (size_t i = 0; i < out->n_notes; i++) {
        enum reason reason = out->note[i].reason;
        if (own && reason == REASON_BUDGET) tell_limit(run);
        tell_reason(run, reason, out->note[i].site);
        if (own && is_final(reason)) {
            run->over = true;
            run->exit = command_exit(reason);
        }
    }
    outbox_free(out);
}

static void say_hello(struct run *run)
{
    AUTO(outbox_free) struct outbox out = {0};
    if (session_hello(&run->site->session, &out) == STATUS_OK) flush(run, &out);
}

static void take_finish(struct run *run, struct view message)
{
    AUTO(outbox_free) struct outbox out = {0};
    enum status status = site_finish(run->site, message);
    flush(run, &out); /* the end may have come in the midst of a round */
    if (status == STATUS_IO) {
        fprintf(stderr, "%s  the final model could not be stored: check disk space\n",
                run->site->key.name);
        run->exit = EXIT_FAILED;
    } else if (status != STATUS_OK) {
        tell_reason(run, REASON_RESULT, OUTBOX_SERVER);
        run->exit = EXIT_AUTH;
    }
    run->over = true;
    tell(run, status == STATUS_OK ? "finished" : "stopped");
}

static void tell_spent(const struct run *run)
{
    double epsilon = 0;
    uint32_t releases = 0;
    if (budget_spent(&run->site->budget, &epsilon, &releases) != STATUS_OK) return;
    const struct study *study = &run->site->study;
    fprintf(stderr,
            "%s  round %u done; epsilon %.4f spent of %g at delta %g, unit %s, adding or removing "
            "one, against the coordinator with %u of the sites, with the dropouts that happened\n",
            run->site->key.name, run->site->session.last_round, account_rounded(epsilon),
            study->privacy.epsilon, study->privacy.delta, study_unit_name(study->privacy.unit),
            study->sites.colluding);
}

static void take(struct run *run, struct view message)
{
    struct session *session = &run->site->session;
    if (msg_kind_of(message) == MSG_FINISH) {
        take_finish(run, message);
        return;
    }
    AUTO(outbox_free) struct outbox out = {0};
    bool busy = session->phase != SESSION_IDLE;
    (void)!session_message(session, message, command_now_ms(), &out);
    bool done = busy && session->phase == SESSION_IDLE;
    flush(run, &out);
    if (done && session->why == REASON_NONE) tell_spent(run);
    if (done && !run->over) say_hello(run);
}

/* Work that is not done by the release moment does not leave at all, or its moment would tell how
 * much data there was. */
static void work(struct run *run)
{
    struct session *session = &run->site->session;
    AUTO(outbox_free) struct outbox out = {0};
    if (site_work(run->site, &out) == STATUS_OK && session->plan.release_ms > 0 &&
        session_release_in(session, command_now_ms()) == 0)
        session_quit(session, REASON_DEADLINE, &out);
    flush(run, &out);
}

static void submit(struct run *run)
{
    AUTO(outbox_free) struct outbox out = {0};
    (void)!site_submit(run->site, command_now_ms(), &out);
    flush(run, &out);
}

/* What the session wants of its own side: the sum worked out, and handed over when it may leave. */
static void go_on(struct run *run)
{
    struct site *site = run->site;
    const struct session *session = &site->session;
    if (session->phase != SESSION_INPUT) {
        noised_free(&site->sum);
        site->worked = false;
        return;
    }
    if (!site->worked) work(run);
    if (session->phase == SESSION_INPUT && session_release_in(session, command_now_ms()) == 0)
        submit(run);
    if (session->phase == SESSION_IDLE && !run->over) say_hello(run);
}

static void take_event(struct run *run, const struct link_event *event)
{
    switch (event->kind) {
    case LINK_MESSAGE:
        take(run, event->message);
        break;
    case LINK_UP:
        run->trouble = REASON_NONE;
        run->strikes = 0;
        fprintf(stderr, "%s  connected\n", run->site->key.name);
        say_hello(run);
        break;
    case LINK_DOWN:
        fprintf(stderr, "%s  connection lost\n", run->site->key.name);
        break;
    case LINK_TROUBLE:
        run->strikes = event->reason == REASON_KEY_SERVER ? run->strikes + 1 : 0;
        if (event->reason == run->trouble && run->strikes != STRIKES) break;
        run->trouble = event->reason;
        if (run->strikes > 0 && run->strikes < STRIKES) {
            fprintf(stderr, "%s  the handshake broke off; trying again\n", run->site->key.name);
            break;
        }
        tell_reason(run, event->reason, OUTBOX_SERVER);
        if (run->strikes == STRIKES) {
            run->over = true;
            run->exit = EXIT_AUTH;
        }
        break;
    case LINK_NOTHING:
        break;
    }
}

/* How long the link may wait for something to happen. */
static int idle_ms(const struct session *session, uint64_t now)
{
    uint64_t wait = 1000;
    if (session->deadline_ms < now + wait)
        wait = session->deadline_ms > now ? session->deadline_ms - now : 0;
    if (session->phase == SESSION_INPUT && session_release_in(session, now) < wait)
        wait = session_release_in(session, now);
    return (int)wait;
}

static void loop(struct run *run)
{
    struct session *session = &run->site->session;
    while (!run->over && !command_stopped()) {
        struct link_event event = {0};
        link_poll(run->link, idle_ms(session, command_now_ms()), &event);
        run->site->time_s = command_time_s();
        take_event(run, &event);
        if (!run->over) go_on(run);
        if (run->over || command_now_ms() < session->deadline_ms) continue;
        AUTO(outbox_free) struct outbox out = {0};
        (void)!session_deadline(session, command_now_ms(), &out);
        flush(run, &out);
        say_hello(run);
    }
    if (!command_stopped()) return;
    AUTO(outbox_free) struct outbox out = {0};
    if (session->phase != SESSION_IDLE) session_quit(session, REASON_DEADLINE, &out);
    flush(run, &out);
    fprintf(stderr, "%s  stopped by a signal; the journal is intact, run again to go on\n",
            run->site->key.name);
    run->exit = EXIT_FAILED;
}

enum exit_code run_site(struct site *site, const struct run_options *options)
{
    command_catch_stop();
    struct run run = {.site = site, .events = options->events};
    const struct link_settings settings = {.message_bytes = schedule_message_bytes(&site->schedule),
                                           .queue = 16,
                                           .retry_ms = 200,
                                           .proxy = options->proxy,
                                           .proxy_credentials = options->proxy_credentials};
    enum status status = link_connect(&run.link, options->connect, site->key.transport,
                                      site->manifest.coordinator.transport, &settings);
    if (status == STATUS_AUTH || status == STATUS_FORMAT) {
        fprintf(stderr, "%s: must be one line user:password, readable by its owner alone\n",
                options->proxy_credentials);
        return EXIT_USAGE;
    }
    if (status != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", options->connect, status_text(status));
        return EXIT_USAGE;
    }
    loop(&run);
    fprintf(stderr, "%s  sent %llu bytes and received %llu\n", site->key.name,
            (unsigned long long)link_bytes_out(run.link, 0),
            (unsigned long long)link_bytes_in(run.link, 0));
    link_free(&run.link);
    return run.exit;
}
