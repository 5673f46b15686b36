/* SPDX-License-Identifier: Apache-2.0 */
/* One round: the coordinator hands out the letters of a phase, the sites work on them side by side,
 * and their answers are taken in the order of their numbers, so that threads change nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "base/crew.h"
#include "lab/fleet_step.h"
#include "protocol/removal.h"

/* --- at the coordinator ------------------------------------------------------------------------
 */

static bool is_silent(const struct fleet *fleet, uint32_t v)
{
    const struct fleet_site *own = &fleet->site[v];
    return own->gone || fleet->round.phase >= own->lost;
}

static void take_letter(void *context, uint32_t v)
{
    const struct fleet *fleet = context;
    struct fleet_site *own = &fleet->site[v];
    if (own->letter.n > 0) own->status = fleet_take_letter(own, fleet->now_ms);
    buffer_free(&own->letter);
}

static enum status take_letters(struct fleet *fleet)
{
    crew_run(take_letter, fleet, fleet->n, fleet->set.threads);
    for (uint32_t v = 0; v < fleet->n; v++) TRY(fleet->site[v].status);
    return STATUS_OK;
}

/* What a site reports before each round: it may have missed results. */
static enum status hear(struct fleet *fleet, uint32_t v, struct hello *hello)
{
    struct fleet_site *own = &fleet->site[v];
    AUTO(outbox_free) struct outbox out = {0};
    struct view bytes = {0};
    TRY(session_hello(&own->site.session, &out));
    TRY(courier_up(fleet->courier, v, out.letter[0].bytes, &bytes));
    own->up += bytes.n;
    return hello_read(hello, bytes, fleet->manifest.member[v].identity);
}

static enum status write_opening(struct fleet *fleet, uint32_t v, struct view model)
{
    struct hello hello = {0};
    TRY(hear(fleet, v, &hello));
    struct opening opening = {.plan = buffer_view(&fleet->round.plan_bytes), .state = model};
    opening.n_results = history_since(&fleet->history, &hello.transcript, &opening.results);
    struct buffer *letter = &fleet->site[v].letter;
    opening_write(letter, &opening);
    write_bytes(letter, model.at, model.n);
    return letter->status;
}

/* What is silent has no connection either. */
static enum status write_letters(struct fleet *fleet, struct view model)
{
    for (uint32_t v = 0; v < fleet->n; v++) {
        if (is_silent(fleet, v)) TRY(courier_leave(fleet->courier, v));
        if (!bits_has(&fleet->round.plan.cohort, v) || is_silent(fleet, v)) continue;
        struct buffer *letter = &fleet->site[v].letter;
        const enum status status = fleet->round.phase == PHASE_KEYS
                                       ? write_opening(fleet, v, model)
                                       : round_letter(letter, &fleet->round, v);
        if (status != STATUS_OK && status != STATUS_STATE) return status;
        TRY(courier_down(fleet->courier, v, letter));
    }
    return STATUS_OK;
}

static enum status show_input(const struct fleet *fleet, uint32_t v, struct view letter)
{
    struct fleet_site *own = &fleet->site[v];
    if (!own->watched || fleet->round.phase != PHASE_COLLECT || own->put_in.n == 0)
        return STATUS_OK;
    const struct fleet_input input = {.site = &own->site,
                                      .put_in = &own->put_in,
                                      .noise = &own->noise,
                                      .then = &own->then,
                                      .letter = letter};
    return fleet->set.watch(fleet->set.watcher, v, &input);
}

/* The round knows what is wrong with an answer, and goes on without its sender. */
static enum status take_answers(struct fleet *fleet)
{
    for (uint32_t v = 0; v < fleet->n; v++) {
        struct fleet_site *own = &fleet->site[v];
        for (size_t i = 0; i < own->answer.n_letters; i++) {
            AUTO(outbox_free) struct outbox notes = {0};
            struct view bytes = {0};
            TRY(courier_up(fleet->courier, v, own->answer.letter[i].bytes, &bytes));
            own->up += bytes.n;
            TRY(show_input(fleet, v, bytes));
            if (round_message(&fleet->round, v, bytes, fleet->now_ms, &notes) == STATUS_NOMEM)
                return STATUS_NOMEM;
        }
        outbox_free(&own->answer);
    }
    return STATUS_OK;
}

static enum status lose(struct fleet *fleet, enum phase phase)
{
    for (uint32_t v = 0; v < fleet->n && fleet->round.phase == phase; v++) {
        AUTO(outbox_free) struct outbox notes = {0};
        if (fleet->site[v].lost == phase) TRY(round_gone(&fleet->round, v, fleet->now_ms, &notes));
    }
    return STATUS_OK;
}

/* One phase; when sites are missing that it would wait for, its time passes. */
static enum status play_phase(struct fleet *fleet, struct view model)
{
    struct round *round = &fleet->round;
    const enum phase phase = round->phase;
    double since = fleet_seconds();
    fleet->now_ms++;
    TRY(write_letters(fleet, model));
    fleet->times.coordinator += fleet_lap(&since);
    TRY(take_letters(fleet));
    since = fleet_seconds();
    TRY(take_answers(fleet));
    TRY(lose(fleet, phase));
    if (round->phase == phase && phase < PHASE_DONE) {
        AUTO(outbox_free) struct outbox notes = {0};
        fleet->now_ms = round->deadline_ms;
        TRY(round_deadline(round, fleet->now_ms, &notes));
    }
    fleet->times.coordinator += fleet_lap(&since);
    return STATUS_OK;
}

/* Sites that were not told how the round ended give it up by themselves. */
static enum status give_up(struct fleet *fleet)
{
    for (uint32_t v = 0; v < fleet->n; v++) {
        struct fleet_site *own = &fleet->site[v];
        struct session *session = &own->site.session;
        if (session->phase == SESSION_IDLE) continue;
        AUTO(outbox_free) struct outbox out = {0};
        TRY(session_deadline(session, session->deadline_ms, &out));
        TRY(site_remember(&own->site, &out));
    }
    return STATUS_OK;
}

/* --- a round -----------------------------------------------------------------------------------
 */

/* Each of the round's phases is as likely to be the first without an answer. */
static void draw_dropouts(struct fleet *fleet)
{
    static const enum phase at[] = {PHASE_KEYS, PHASE_SHARES, PHASE_COLLECT, PHASE_CONFIRM,
                                    PHASE_REVEAL};
    bool measured = false;
    for (uint32_t v = 0; v < fleet->n; v++) {
        struct fleet_site *own = &fleet->site[v];
        const bool lost = rng_unit(&fleet->fate) < fleet->set.dropout;
        const enum phase phase = at[rng_below(&fleet->fate, sizeof at / sizeof *at)];
        own->lost = lost ? phase : PHASE_COUNT;
        own->up = own->down = 0;
        own->measured = !measured && !own->gone && own->lost > PHASE_COLLECT;
        measured = measured || own->measured;
        own->watched = fleet->set.watch != NULL;
        noised_free(&own->put_in);
    }
}

/* Whoever was lost in an earlier round is back. */
static enum status join(struct fleet *fleet)
{
    for (uint32_t v = 0; v < fleet->n; v++)
        if (!fleet->site[v].gone) TRY(courier_join(fleet->courier, v, &fleet->site[v].key));
    return STATUS_OK;
}

static enum status plan_round(struct fleet *fleet, struct view model)
{
    AUTO(bits_free) struct bits cohort = {0};
    AUTO(plan_free) struct plan plan = {0};
    TRY(bits_new(&cohort, fleet->n));
    for (uint32_t v = 0; v < fleet->n; v++)
        if (!fleet->site[v].gone) bits_set(&cohort, v);
    TRY(course_plan(&plan, &fleet->course, &cohort));
    plan.round = fleet->rounds + 1;
    TRY(spend_reserve(&fleet->spend, &plan, plan.round));
    rng_bytes(&fleet->rng, plan.session, sizeof plan.session);
    plan.manifest = manifest_hash(&fleet->manifest);
    plan.study = fleet->study.hash;
    plan.previous = history_last(&fleet->history);
    plan.state = hash_of("state", model);
    const struct round_config config = {.manifest = &fleet->manifest,
                                        .identity = fleet->coordinator.identity};
    round_free(&fleet->round);
    TRY(round_start(&fleet->round, &config, &plan, fleet->now_ms));
    fleet->round.threads =
        fleet->set.threads < MASK_THREADS_MAX ? fleet->set.threads : MASK_THREADS_MAX;
    fleet->rounds++;
    return STATUS_OK;
}

/* What the survivors put into segment l from place at[v] of their sums on; true when it is what was
 * opened. Places move on. */
static bool segment_is_exact(const struct fleet *fleet, uint32_t l, size_t *at)
{
    const struct round *round = &fleet->round;
    const struct segment *segment = &round->plan.segment[l];
    const uint32_t ring = UINT32_MAX >> (32 - round->plan.grid.bits);
    bool exact = true;
    for (size_t i = 0; i < segment->dim && bits_has(&round->opened_set, l); i++) {
        uint32_t sum = 0;
        for (uint32_t v = 0; v < fleet->n; v++)
            if (bits_has(&round->survivors, v) && bits_has(&segment->members, v))
                sum += fleet->site[v].put_in.value[at[v] + i];
        exact = exact && (sum & ring) == round->opened[l].value[i];
    }
    for (uint32_t v = 0; v < fleet->n; v++)
        if (bits_has(&segment->members, v)) at[v] += segment->dim;
    return exact;
}

enum status fleet_compare(struct fleet_round *out, const struct fleet *fleet)
{
    const struct round *round = &fleet->round;
    /* Noise that was taken away again is not in the sum any more. */
    out->compared = removal_first(&round->plan, &round->survivors) == 0;
    if (!out->compared) return STATUS_OK;
    size_t *at = calloc(fleet->n, sizeof *at);
    if (at == NULL) return STATUS_NOMEM;
    out->exact = true;
    for (uint32_t l = 0; l < round->plan.n_segments; l++)
        out->exact = segment_is_exact(fleet, l, at) && out->exact;
    free(at);
    return STATUS_OK;
}

static enum status conclude(struct fleet *fleet)
{
    const struct round *round = &fleet->round;
    const bool opened = round->phase == PHASE_DONE;
    if (opened) {
        TRY(course_apply(&fleet->course, round));
        TRY(history_add(&fleet->history, &round->result, buffer_view(&round->result_bytes)));
    }
    return spend_end(&fleet->spend, round->plan.round, (uint32_t)bits_count(&round->survivors),
                     opened, round->plan.round);
}

static void describe(struct fleet_round *out, const struct fleet *fleet)
{
    const struct round *round = &fleet->round;
    out->round = round->plan.round;
    out->step = round->plan.step;
    out->opened = round->phase == PHASE_DONE;
    out->why = round->why;
    out->about = round->about;
    out->survivors = (uint32_t)bits_count(&round->survivors);
    out->recovered = out->opened ? round_recovered(round) : 0;
    for (uint32_t l = 0; l < round->plan.n_segments; l++) out->dim += round->plan.segment[l].dim;
    for (uint32_t v = 0; v < fleet->n; v++) {
        const struct fleet_site *own = &fleet->site[v];
        out->dropped += own->lost < PHASE_COUNT;
        if (!bits_has(&round->survivors, v)) continue;
        if (own->up > out->up) out->up = own->up;
        if (own->down > out->down) out->down = own->down;
    }
}

static void add_times(struct fleet *fleet)
{
    uint32_t worked = 0;
    double noise = 0;
    for (uint32_t v = 0; v < fleet->n; v++) {
        struct fleet_times *times = &fleet->site[v].times;
        worked += times->work > 0;
        noise += times->noise;
        fleet->times.work += times->work;
        fleet->times.pads += times->pads;
        fleet->times.session += times->session;
        *times = (struct fleet_times){0};
    }
    fleet->times.noise += noise * worked;
}

static enum status play(struct fleet *fleet, struct fleet_round *out)
{
    AUTO(buffer_free) struct buffer model = {0};
    draw_dropouts(fleet);
    state_write(&model, &fleet->course.state);
    TRY(model.status);
    TRY(join(fleet));
    TRY(plan_round(fleet, buffer_view(&model)));
    while (fleet->round.phase < PHASE_DONE) TRY(play_phase(fleet, buffer_view(&model)));
    TRY(play_phase(fleet, buffer_view(&model))); /* how it ended */
    TRY(give_up(fleet));
    describe(out, fleet);
    if (out->opened) TRY(fleet_compare(out, fleet));
    add_times(fleet);
    return conclude(fleet);
}

enum status fleet_play(struct fleet *fleet, struct fleet_round *out)
{
    *out = (struct fleet_round){0};
    const enum status status = play(fleet, out);
    for (uint32_t v = 0; v < fleet->n && fleet->refusal.reason == REASON_NONE; v++) {
        const struct site *site = &fleet->site[v].site;
        if (!fleet->site[v].gone) continue;
        fleet->refusal.reason = REASON_BUDGET;
        (void)snprintf(fleet->refusal.text, sizeof fleet->refusal.text, "%s: %s", site->key.name,
                       site->crossed.text);
    }
    if (courier_trouble(fleet->courier)[0] != 0) {
        fleet->refusal.reason = REASON_DEADLINE;
        (void)snprintf(fleet->refusal.text, sizeof fleet->refusal.text, "%s",
                       courier_trouble(fleet->courier));
    }
    /* Too few sites are left whose policy allows a round. */
    return status == STATUS_QUORUM && fleet->refusal.reason != REASON_NONE ? STATUS_BUDGET : status;
}
