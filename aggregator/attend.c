/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregator/run_step.h"

/* The first round waits for all enrolled sites until the gathering ends, later ones only for the
 * study's grace. */
bool attend_gathered(const struct run *run, uint64_t now_ms, struct bits *cohort)
{
    uint32_t missing = 0, count = 0;
    for (uint32_t v = 0; v < run->c->manifest.n; v++) {
        if (bits_has(&run->tale.banned, v)) continue;
        if (run->site[v].up && run->site[v].ready) {
            bits_set(cohort, v);
            count++;
        } else {
            missing++;
        }
    }
    if (missing == 0) return true;
    const uint64_t patience = run->tale.last_round == 0 ? run->c->study.deadlines.gather_ms
                                                        : run->c->study.deadlines.grace_ms;
    return count >= run->c->course.schedule.params.quorum && now_ms - run->gather_ms >= patience;
}

/* A site that still waits in a session that is over learns that it is: by its result, if it was
 * opened, and otherwise by being told to give it up. */
static void close_session(struct run *run, uint32_t from, const struct hello *hello)
{
    AUTO(blob_free) struct blob *result = NULL, *abort = NULL;
    struct buffer bytes = {0};
    struct view results;
    if (history_since(&run->tale.history, &hello->transcript, &results) > 0) {
        struct reader r = reader_of(results);
        const struct view first = read_blob(&r, MSG_RESULT_BYTES_MAX);
        write_bytes(&bytes, first.at, first.n);
        if (blob_of(&result, &bytes) == STATUS_OK) (void)!link_send(run->link, from, result, NULL);
    }
    struct abort_notice notice = {
        .from = OUTBOX_SERVER, .about = OUTBOX_SERVER, .reason = REASON_DEADLINE};
    memcpy(notice.session, hello->session, sizeof notice.session);
    abort_write(&bytes, &notice, run->c->key.identity);
    if (blob_of(&abort, &bytes) == STATUS_OK) (void)!link_send(run->link, from, abort, NULL);
}

/* A site that is in the session lost its connection, not its secrets: it gets its letter again. One
 * that is idle although the round counts on it was started anew. */
static void resume_site(struct run *run, uint32_t from, const struct hello *hello)
{
    static const uint8_t idle[MSG_SESSION_BYTES] = {0};
    const bool is_idle = memcmp(hello->session, idle, sizeof idle) == 0;
    const bool asked = run->in_round && bits_has(&run->round.plan.cohort, from);
    run->site[from].ready = is_idle;
    const bool current =
        run->in_round && memcmp(hello->session, run->round.plan.session, sizeof idle) == 0;
    if (!is_idle && !current) {
        close_session(run, from, hello);
        return;
    }
    if (current) run_site_back(run, from);
    const bool opens =
        asked && run->round.phase == PHASE_KEYS && !bits_has(&run->round.adverts, from);
    if (run->finished || (asked && (!is_idle || opens)))
        bits_set(&run->owed, from);
    else if (asked)
        run_site_out(run, from);
}

void attend_hello(struct run *run, uint32_t from, struct view message)
{
    struct hello hello = {0};
    if (hello_read(&hello, message, run->c->manifest.member[from].identity) != STATUS_OK ||
        hello.from != from) {
        if (run->site[from].told) return;
        run->site[from].told = true;
        fprintf(stderr, "%s  %s reports with another key or number than the manifest's: %s\n",
                reason_id(REASON_MANIFEST), run_name_of(run, from), reason_fix(REASON_MANIFEST));
        return;
    }
    if (!hash_equal(&hello.study, &run->c->study.hash)) {
        fprintf(stderr, "%s  %s has another study file: %s\n", reason_id(REASON_STUDY),
                run_name_of(run, from), reason_fix(REASON_STUDY));
        return;
    }
    run->site[from].transcript = hello.transcript;
    resume_site(run, from, &hello);
}

void attend_miss(struct run *run)
{
    const uint64_t now = command_now_ms();
    for (uint32_t v = 0; v < run->c->manifest.n; v++) {
        if (run->site[v].lost_ms == UINT64_MAX ||
            now < run->site[v].lost_ms + run->c->study.deadlines.grace_ms)
            continue;
        run->site[v].lost_ms = UINT64_MAX;
        run_site_gone(run, v);
    }
}

bool attend_over(const struct run *run)
{
    for (uint32_t v = 0; v < run->c->manifest.n; v++)
        if (run->site[v].up || run->site[v].expected) return false;
    return true;
}

void attend_tell_missing(const struct run *run)
{
    for (uint32_t v = 0; v < run->c->manifest.n; v++)
        if (!run->site[v].up || !run->site[v].ready)
            fprintf(stderr, "  missing: %s (%s)\n", run_name_of(run, v),
                    run->site[v].up ? "connected, not ready" : "not connected");
}

uint64_t attend_upload(const struct run *run)
{
    uint64_t most = 0;
    for (uint32_t v = 0; v < run->c->manifest.n; v++) {
        uint64_t up = link_bytes_in(run->link, v) - run->site[v].bytes_mark;
        if (bits_has(&run->round.survivors, v) && up > most) most = up;
    }
    return most;
}

void attend_keys_free(struct link_key **key)
{
    free(*key);
}
