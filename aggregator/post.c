/* SPDX-License-Identifier: Apache-2.0 */
/* Letters are made when their reader can take them, so that a thousand of them are never in memory
 * at once; a site that was away gets its letter when it reports back. */
#include <stdio.h>
#include <string.h>

#include "aggregator/run_step.h"

/* So many sites are sent to at the same time; the end is a copy of the model for each. */
#define BUSY_MAX 32
#define BUSY_AT_END 2
/* Who takes nothing for so long, or for the study's grace, keeps its letter but nobody's place. */
#define TAKING_MS 2000

enum status post_model(struct run *run)
{
    blob_free(&run->model);
    struct buffer bytes = {0};
    state_write(&bytes, &run->c->course.state);
    return blob_of(&run->model, &bytes);
}

void post_all(struct run *run)
{
    bits_fill(&run->owed);
    /* The model is needed again when it has changed: the next round makes its bytes anew. */
    if (run->in_round && run->round.phase > PHASE_KEYS) blob_free(&run->model);
}

void post_finish(struct run *run)
{
    if (run->model == NULL && post_model(run) != STATUS_OK) {
        run_give_up(run, EXIT_FAILED, "memory ran out");
        return;
    }
    run->finished = true;
    bits_fill(&run->owed);
}

/* A site of the cohort that is not asked any more need not wait for its own deadline. */
static enum status dismiss(struct buffer *head, const struct run *run, uint32_t to)
{
    struct abort_notice notice = {.from = OUTBOX_SERVER, .about = to, .reason = REASON_DEADLINE};
    memcpy(notice.session, run->round.plan.session, sizeof notice.session);
    abort_write(head, &notice, run->c->key.identity);
    return head->status;
}

/* The head of what a site gets now; *tail are the bytes that follow it. STATUS_STATE: nothing. */
static enum status make(struct buffer *head, struct blob **tail, const struct run *run, uint32_t to)
{
    const struct hash *at = &run->site[to].transcript;
    if (run->finished) {
        struct finish end = {.manifest = manifest_hash(&run->c->manifest),
                             .state = blob_view(run->model)};
        end.n_results = history_since(&run->tale.history, at, &end.results);
        finish_write(head, &end, run->c->key.identity);
        return head->status;
    }
    if (!bits_has(&run->round.plan.cohort, to)) return STATUS_STATE;
    if (run->round.phase != PHASE_KEYS) {
        enum status status = round_letter(head, &run->round, to);
        return status == STATUS_STATE ? dismiss(head, run, to) : status;
    }
    struct opening opening = {.plan = buffer_view(&run->round.plan_bytes),
                              .state = blob_view(run->model)};
    opening.n_results = history_since(&run->tale.history, at, &opening.results);
    *tail = run->model;
    opening_write(head, &opening);
    return head->status;
}

/* Whether the site has been seen to: also when there is nothing for it. A link that is lost is seen
 * to as well: the site reports when it is back, and gets its letter then. */
static bool hand_over(struct run *run, uint32_t to)
{
    AUTO(blob_free) struct blob *head = NULL;
    struct blob *tail = NULL;
    struct buffer bytes = {0};
    enum status status = make(&bytes, &tail, run, to);
    if (status == STATUS_OK) status = blob_of(&head, &bytes);
    buffer_free(&bytes);
    if (status == STATUS_OK) status = link_send(run->link, to, head, tail);
    /* Who missed the survivor set cannot take the result: it is told that the round is over. */
    if (status == STATUS_OK && !run->finished && run->round.phase == PHASE_DONE) {
        AUTO(blob_free) struct blob *end = NULL;
        if (dismiss(&bytes, run, to) == STATUS_OK && blob_of(&end, &bytes) == STATUS_OK)
            (void)!link_send(run->link, to, end, NULL);
    }
    if (status == STATUS_NOMEM || status == STATUS_RANGE)
        fprintf(stderr, "a letter to %s could not be sent: %s\n", run_name_of(run, to),
                status_text(status));
    return status != STATUS_STATE || head == NULL;
}

/* Openings, rosters, inboxes and the end are large; the others queue up behind them. */
static bool is_large(const struct run *run)
{
    return run->finished || (run->in_round && run->round.phase <= PHASE_COLLECT);
}

/* Whether a site is taking what it was sent. */
static bool is_taking(struct run *run, uint32_t v, uint64_t now)
{
    struct attendance *site = &run->site[v];
    const uint64_t bytes = link_bytes_out(run->link, v);
    const uint64_t grace = run->c->study.deadlines.grace_ms;
    if (!site->up || link_idle(run->link, v)) return false;
    if (bytes != site->bytes_out) site->taking_ms = now;
    site->bytes_out = bytes;
    return now - site->taking_ms < (grace > TAKING_MS ? grace : TAKING_MS);
}

void post_letters(struct run *run)
{
    if (run->round.plan.n_segments == 0 && !run->finished) return;
    const bool large = is_large(run);
    const size_t most = !large ? SIZE_MAX : run->finished ? BUSY_AT_END : BUSY_MAX;
    const uint64_t now = command_now_ms();
    size_t busy = 0;
    for (uint32_t v = 0; large && v < run->c->manifest.n; v++) busy += is_taking(run, v, now);
    for (uint32_t v = 0; v < run->c->manifest.n && busy < most; v++) {
        if (!bits_has(&run->owed, v)) continue;
        if (large && run->site[v].up && !link_idle(run->link, v)) continue;
        if (hand_over(run, v)) bits_clear(&run->owed, v);
        run->site[v].taking_ms = now;
        busy++;
    }
}

size_t post_left(const struct run *run)
{
    const bool letters = run->round.plan.n_segments > 0 || run->finished;
    size_t left = letters ? bits_count(&run->owed) : 0;
    for (uint32_t v = 0; v < run->c->manifest.n; v++)
        left +=
            run->site[v].up && !link_idle(run->link, v) && !(letters && bits_has(&run->owed, v));
    return left;
}
