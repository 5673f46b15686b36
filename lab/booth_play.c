/* SPDX-License-Identifier: Apache-2.0 */
/* One round: letters of the coordinator out, answers of the sites in, phase after phase. */
#include <string.h>

#include "lab/booth_step.h"

static bool is_silent(const struct booth *booth, uint32_t v)
{
    return booth_falls_silent(booth, v) && booth->round.phase >= PHASE_COLLECT;
}

static enum status write_letter(struct booth *booth, uint32_t v, struct view model)
{
    struct booth_site *site = &booth->site[v];
    if (booth->round.phase != PHASE_KEYS) {
        const enum status status = round_letter(&site->letter, &booth->round, v);
        return status == STATUS_STATE ? STATUS_OK : status;
    }
    struct opening opening = {.plan = buffer_view(&booth->round.plan_bytes), .state = model};
    opening.n_results = history_since(&booth->history, &site->session.transcript, &opening.results);
    opening_write(&site->letter, &opening);
    write_bytes(&site->letter, model.at, model.n);
    return site->letter.status;
}

static enum status take_answers(struct booth *booth, uint32_t v)
{
    struct booth_site *site = &booth->site[v];
    for (size_t i = 0; i < site->answer.n_letters; i++) {
        AUTO(outbox_free) struct outbox notes = {0};
        struct view bytes = {0};
        TRY(courier_up(booth->courier, v, site->answer.letter[i].bytes, &bytes));
        /* What is wrong with an answer is in how the round ends. */
        if (round_message(&booth->round, v, bytes, booth->now_ms, &notes) == STATUS_NOMEM)
            return STATUS_NOMEM;
    }
    outbox_free(&site->answer);
    return STATUS_OK;
}

static enum status lose_silent(struct booth *booth)
{
    for (uint32_t v = 0; v < booth->n && booth->round.phase == PHASE_COLLECT; v++) {
        AUTO(outbox_free) struct outbox notes = {0};
        if (is_silent(booth, v)) TRY(round_gone(&booth->round, v, booth->now_ms, &notes));
    }
    return STATUS_OK;
}

static enum status play_phase(struct booth *booth, struct view model)
{
    const enum phase phase = booth->round.phase;
    booth->now_ms++;
    for (uint32_t v = 0; v < booth->n; v++) {
        if (is_silent(booth, v))
            TRY(courier_leave(booth->courier, v));
        else
            TRY(write_letter(booth, v, model));
        TRY(courier_down(booth->courier, v, &booth->site[v].letter));
    }
    for (uint32_t v = 0; v < booth->n; v++) TRY(booth_take_letter(booth, v));
    for (uint32_t v = 0; v < booth->n; v++) TRY(take_answers(booth, v));
    if (phase == PHASE_COLLECT) TRY(lose_silent(booth));
    if (booth->round.phase != phase || phase >= PHASE_DONE) return STATUS_OK;
    AUTO(outbox_free) struct outbox notes = {0};
    booth->now_ms = booth->round.deadline_ms;
    return round_deadline(&booth->round, booth->now_ms, &notes);
}

/* Silent sites give the round up by themselves. */
static enum status give_up(struct booth *booth)
{
    for (uint32_t v = 0; v < booth->n; v++) {
        struct session *session = &booth->site[v].session;
        AUTO(outbox_free) struct outbox out = {0};
        if (session->phase != SESSION_IDLE)
            TRY(session_deadline(session, session->deadline_ms, &out));
    }
    return STATUS_OK;
}

static enum status begin(struct booth *booth, struct view model)
{
    AUTO(plan_free) struct plan plan = {0};
    for (uint32_t v = 0; v < booth->n; v++)
        TRY(courier_join(booth->courier, v, &booth->site[v].key));
    TRY(plan_copy(&plan, &booth->plan));
    plan.round = ++booth->rounds;
    rng_bytes(&booth->rng, plan.session, sizeof plan.session);
    plan.manifest = manifest_hash(&booth->manifest);
    plan.study = booth->study.hash;
    plan.previous = history_last(&booth->history);
    plan.state = hash_of("state", model);
    const struct round_config config = {.manifest = &booth->manifest,
                                        .identity = booth->coordinator.identity};
    round_free(&booth->round);
    return round_start(&booth->round, &config, &plan, booth->now_ms);
}

enum status booth_play(struct booth *booth, const bool *included)
{
    AUTO(buffer_free) struct buffer model = {0};
    state_write(&model, &booth->state);
    TRY(model.status);
    if (included == NULL && booth->n_idle > 0)
        booth->first_slot = (uint32_t)rng_below(&booth->rng, booth->n_slots);
    for (uint32_t v = 0; v < booth->n; v++) booth_give_records(booth, v, included);
    TRY(begin(booth, buffer_view(&model)));
    while (booth->round.phase < PHASE_DONE) TRY(play_phase(booth, buffer_view(&model)));
    TRY(play_phase(booth, buffer_view(&model))); /* how it ended */
    TRY(give_up(booth));
    if (booth->round.phase != PHASE_DONE) return STATUS_QUORUM;
    return history_add(&booth->history, &booth->round.result,
                       buffer_view(&booth->round.result_bytes));
}
