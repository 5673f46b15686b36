/* SPDX-License-Identifier: Apache-2.0 */
/* What a site does with its canaries, and what is seen of them in the sum. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "client/submit.h"
#include "client/train.h"
#include "lab/booth_step.h"

/* --- canaries ----------------------------------------------------------------------------------
 */

/* Canary k is honest site k modulo their number's. */
static uint32_t canaries_of(const struct booth *booth, uint32_t v)
{
    if (!booth_is_honest(booth, v)) return 0;
    const uint32_t place = v - booth->plan.params.c;
    return (booth->n_canaries + booth->honest - 1 - place) / booth->honest;
}

enum status booth_give_room(struct booth *booth, uint32_t v)
{
    struct booth_site *site = &booth->site[v];
    const struct model_spec *spec = &booth->study.model.spec;
    const uint32_t canaries = canaries_of(booth, v);
    site->room = canaries > 0 ? canaries : 1; /* no site comes without any */
    AUTO(dataset_free)
    struct dataset data = {
        .n = site->room, .channels = 1, .height = 1, .width = spec->width, .classes = 2};
    data.pixel = calloc(site->room, spec->width);
    data.label = calloc(site->room, 1);
    if (data.pixel == NULL || data.label == NULL) return STATUS_NOMEM;
    TRY(local_new(&site->local, &booth->study, &data));
    site->local.self = v;
    return local_load(&site->local, &booth->state);
}

/* The first pixel of a canary, or of an idle direction. */
static size_t pixel_of(const struct booth *booth, uint32_t k)
{
    return (size_t)((booth->first_slot + k) % booth->n_slots) * booth->width;
}

/* Of class 1: the sum then grows where the pixels are. */
static void write_record(struct dataset *data, size_t first, uint32_t width)
{
    uint8_t *pixel = data->pixel + data->n * data->width;
    memset(pixel, 0, data->width);
    memset(pixel + first, 255, width);
    data->label[data->n++] = 1;
}

void booth_give_records(struct booth *booth, uint32_t v, const bool *included)
{
    struct dataset *data = &booth->site[v].local.data;
    data->n = 0;
    if (included == NULL || !booth_is_honest(booth, v)) return;
    for (uint32_t k = v - booth->plan.params.c; k < booth->n_canaries; k += booth->honest)
        if (included[k]) write_record(data, pixel_of(booth, k), booth->width);
}

/* --- what client/run.c does ---------------------------------------------------------------------
 */

static enum status put_in(struct booth *booth, uint32_t v)
{
    struct booth_site *site = &booth->site[v];
    const struct session *session = &site->session;
    AUTO(noise_free) struct noise noise = {0};
    TRY(submit_noise(&noise, session, &site->rng));
    noise_free(&site->known);
    if (v < booth->plan.params.c) {
        TRY(noise_new(&site->known, noise.n));
        memcpy(site->known.value, noise.value, noise.n * sizeof *noise.value);
    }
    AUTO(encoded_free) struct encoded sum = {0};
    AUTO(noised_free) struct noised noised = {0};
    TRY(train_run(&sum, &site->local, &session->plan, &session->roster_hash, &site->rng));
    TRY(noise_add(&noised, &sum, &noise));
    return submit_sum(&site->session, &noised, booth->now_ms, &site->answer);
}

enum status booth_take_letter(struct booth *booth, uint32_t v)
{
    struct booth_site *site = &booth->site[v];
    if (site->letter.n == 0) return STATUS_OK;
    /* What is wrong with a letter is in the answer. */
    const enum status status =
        session_message(&site->session, buffer_view(&site->letter), booth->now_ms, &site->answer);
    buffer_free(&site->letter);
    if (status == STATUS_NOMEM) return status;
    return site->session.phase == SESSION_INPUT ? put_in(booth, v) : STATUS_OK;
}

/* --- what the adversary sees --------------------------------------------------------------------
 */

static void free_floats(float **x)
{
    free(*x);
}

/* The first layer's sum without the colluding sites' noise, as numbers around zero, turned back; or
 * without anybody's, if that of all sites is the first one's. */
static float *seen_new(const struct booth *booth, bool alike)
{
    const struct opened *opened = &booth->round.opened[0];
    const uint32_t c = booth->plan.params.c, others = alike && c > 0 ? booth->honest : 0;
    const uint32_t ring = UINT32_MAX >> (32 - booth->plan.grid.bits), half = ring / 2 + 1;
    AUTO(free_floats) float *seen = calloc(opened->n, sizeof *seen);
    struct rotate rotate = {0};
    const bool turned = schedule_rotates(&booth->study, STEP_TRAIN);
    if (seen == NULL || (turned && schedule_rotate(&rotate, &booth->round.plan, 0,
                                                   &booth->round.roster_hash) != STATUS_OK))
        return NULL;
    for (size_t i = 0; i < opened->n; i++) {
        uint32_t x = opened->value[i];
        for (uint32_t v = 0; v < c; v++) x -= booth->site[v].known.value[i];
        if (others > 0) x -= others * booth->site[0].known.value[i];
        seen[i] = (float)((int64_t)((x + half) & ring) - (int64_t)half);
    }
    if (turned) rotate_back(&rotate, seen);
    rotate_free(&rotate);
    float *out = seen;
    seen = NULL;
    return out;
}

enum status booth_score(const struct booth *booth, bool alike, double *score)
{
    AUTO(free_floats) float *seen = seen_new(booth, alike);
    if (seen == NULL) return STATUS_NOMEM;
    for (uint32_t k = 0; k < booth->n_canaries + booth->n_idle; k++) {
        const float *own = seen + pixel_of(booth, k);
        double sum = 0;
        for (uint32_t i = 0; i < booth->width; i++) sum += (double)own[i];
        score[k] = sum / sqrt(booth->width);
    }
    return STATUS_OK;
}
