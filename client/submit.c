/* SPDX-License-Identifier: Apache-2.0 */
#include "client/submit.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/mask.h"
#include "dp/clip.h"
#include "protocol/removal.h"
#include "protocol/schedule.h"

enum status submit_contribution(struct grid_sum *sum, int64_t *within, const struct update *update,
                                double clip, const struct grid *grid, struct rng *rng)
{
    struct clipped clipped = {0};
    TRY(clip_l2(&clipped, update, clip));
    TRY(grid_add(sum, &clipped, grid, rng));
    if (within != NULL) *within += clipped.factor == 1 ? 1 : -1;
    return STATUS_OK;
}

/* The pads of one segment, while they are needed. */
struct pads {
    struct pad *pad;
    size_t n;
};

static void pads_free(struct pads *pads)
{
    if (pads->pad != NULL) secret_wipe(pads->pad, pads->n * sizeof *pads->pad);
    free(pads->pad);
}

/* Mask dim coordinates and behind them their sum, by which the aggregator sees that it opened the
 * segment correctly. */
static enum status mask_segment(struct masked *out, const struct session *session, uint32_t segment,
                                const uint32_t *value)
{
    const size_t dim = session->plan.segment[segment].dim;
    AUTO(noised_free) struct noised noised = {0};
    TRY(noised_new(&noised, dim + 1));
    memcpy(noised.value, value, dim * sizeof *value);
    for (size_t i = 0; i < dim; i++) noised.value[dim] += value[i];
    AUTO(pads_free) struct pads pads = {0};
    TRY(session_pads(session, segment, &pads.pad, &pads.n));
    const struct mask_how how = {.cipher = session->plan.cipher,
                                 .bits = session->plan.grid.bits,
                                 .threads = session->config.threads};
    return mask_add(out, &noised, pads.pad, pads.n, &how, 0);
}

static void free_parts(struct masked (*part)[MSG_SEGMENTS_MAX])
{
    for (size_t l = 0; l < MSG_SEGMENTS_MAX; l++) masked_free(&(*part)[l]);
}

static enum status add_part(struct noise *noise, const struct session *session, uint32_t sigma,
                            const uint8_t seed[static SHARE_BYTES])
{
    AUTO(noise_free) struct noise part = {0};
    TRY(removal_draw(&part, noise->n, sigma, seed, &session->plan_hash, &session->roster_hash));
    for (size_t i = 0; i < noise->n; i++) noise->value[i] += part.value[i];
    return STATUS_OK;
}

/* The parts that the coordinator may be able to draw once more, when it is given their seed. */
static enum status add_removable(struct noise *noise, const struct session *session,
                                 const struct xnoise *parts)
{
    enum status status = STATUS_OK;
    uint8_t seed[SHARE_BYTES];
    memcpy(seed, session->noise_seed, sizeof seed);
    for (uint32_t k = 1; k <= parts->removable && status == STATUS_OK; k++, removal_next(seed))
        status = add_part(noise, session, parts->sigma[k], seed);
    secret_wipe(seed, sizeof seed);
    return status;
}

enum status submit_noise(struct noise *out, const struct session *session, struct rng *rng)
{
    const struct plan *plan = &session->plan;
    const size_t n = schedule_part(plan, session->config.self);
    if (n == 0) return STATUS_RANGE;
    struct xnoise parts;
    TRY(removal_parts(&parts, plan));
    AUTO(noise_free) struct noise noise = {0};
    TRY(noise_draw(&noise, n, parts.sigma[0], plan->sampler, rng));
    TRY(add_removable(&noise, session, &parts));
    *out = noise;
    noise = (struct noise){0};
    return STATUS_OK;
}

enum status submit_sum(struct session *session, const struct noised *noised, uint64_t now_ms,
                       struct outbox *out)
{
    AUTO(free_parts) struct masked part[MSG_SEGMENTS_MAX] = {{0}};
    size_t at = 0;
    for (uint32_t l = 0; l < session->plan.n_segments; l++) {
        const struct segment *segment = &session->plan.segment[l];
        if (!bits_has(&segment->members, session->config.self)) continue;
        if (segment->dim > noised->n - at) return STATUS_RANGE;
        TRY(mask_segment(&part[l], session, l, noised->value + at));
        at += segment->dim;
    }
    if (at != noised->n) return STATUS_RANGE;
    return session_input(session, part, now_ms, out);
}
