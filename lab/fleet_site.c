/* SPDX-License-Identifier: Apache-2.0 */
/* What run.c of the client does with a letter, without a link. */
#include <string.h>

#include "client/submit.h"
#include "lab/fleet_step.h"
#include "protocol/schedule.h"

/* A policy that stands against a release ends the study for its site. */
static void note_refusals(struct fleet_site *own, const struct outbox *out)
{
    for (size_t i = 0; i < out->n_notes; i++)
        own->gone = own->gone || out->note[i].reason == REASON_BUDGET;
}

/* Journal first; then its letters wait to be taken by the coordinator. */
static enum status flush(struct fleet_site *own, struct outbox *out)
{
    TRY(site_remember(&own->site, out));
    note_refusals(own, out);
    for (size_t i = 0; i < out->n_letters; i++)
        TRY(outbox_send_again(&own->answer, out->letter[i].to, out->letter[i].bytes));
    outbox_free(out);
    return STATUS_OK;
}

/* What this site is about to draw costs, by drawing it once more. */
static enum status measure_noise(struct fleet_site *own)
{
    struct rng rng = own->site.rng;
    AUTO(noise_free) struct noise noise = {0};
    double since = fleet_seconds();
    const enum status status = submit_noise(&noise, &own->site.session, &rng);
    own->times.noise += fleet_lap(&since);
    rng_wipe(&rng);
    return status;
}

/* What it is about to draw, drawn before: the seed of a part is wiped by its use. */
static enum status foresee(struct fleet_site *own)
{
    own->then = own->site.rng;
    noise_free(&own->noise);
    return submit_noise(&own->noise, &own->site.session, &own->then);
}

/* What run.c asks of a site whose shares are dealt: its sum, and at the release moment its input.
 * A failure ends its session, and with it its part in the round. */
static enum status put_in(struct fleet_site *own, uint64_t now_ms)
{
    struct site *site = &own->site;
    AUTO(outbox_free) struct outbox out = {0};
    const bool guards_only = schedule_part(&site->session.plan, site->self) == 0;
    if (own->measured && !guards_only) TRY(measure_noise(own));
    if (own->watched && !guards_only) TRY(foresee(own));
    double since = fleet_seconds();
    const enum status status = site_work(site, &out);
    own->times.work += fleet_lap(&since);
    TRY(flush(own, &out));
    if (status != STATUS_OK) return status == STATUS_BUDGET ? STATUS_OK : status;
    if (!guards_only) {
        TRY(noised_new(&own->put_in, site->sum.n));
        memcpy(own->put_in.value, site->sum.value, site->sum.n * sizeof *site->sum.value);
    }
    const uint64_t moment = now_ms + session_release_in(&site->session, now_ms);
    since = fleet_seconds();
    TRY(site_submit(site, moment, &out));
    own->times.pads += fleet_lap(&since);
    TRY(flush(own, &out));
    own->times.session += fleet_lap(&since);
    return STATUS_OK;
}

enum status fleet_take_letter(struct fleet_site *own, uint64_t now_ms)
{
    struct session *session = &own->site.session;
    AUTO(outbox_free) struct outbox out = {0};
    double since = fleet_seconds();
    own->down += own->letter.n;
    /* What is wrong with a letter is in the answer. */
    if (session_message(session, buffer_view(&own->letter), now_ms, &out) == STATUS_NOMEM)
        return STATUS_NOMEM;
    TRY(flush(own, &out));
    own->times.session += fleet_lap(&since);
    return session->phase == SESSION_INPUT ? put_in(own, now_ms) : STATUS_OK;
}
