/* SPDX-License-Identifier: Apache-2.0 */
/* What a world's sites draw as noise that can be taken away again, and what must be left of it. */
#include <string.h>

#include "protocol/removal.h"
#include "tests/lib/arena.h"

static void must(enum status status)
{
    REQUIRE(status == STATUS_OK);
}

void arena_noise(struct arena *a, uint32_t sigma)
{
    struct plan *p = &a->plan;
    must(grid_noise(&p->grid, a->n, sigma));
    p->removable = a->n - p->params.quorum;
}

/* Add or take the parts first to last of a site's noise, drawn from its seed. */
static void add_parts(const struct arena *a, uint32_t *sum, size_t n, uint32_t v, uint32_t first,
                      uint32_t last, bool take)
{
    const struct round *r = &a->round;
    struct xnoise parts;
    must(removal_parts(&parts, &r->plan));
    uint8_t seed[SHARE_BYTES];
    memcpy(seed, a->noise_seed[v], sizeof seed);
    for (uint32_t k = 1; k <= last; k++, removal_next(seed)) {
        AUTO(noise_free) struct noise part = {0};
        if (k < first) continue;
        must(removal_draw(&part, n, parts.sigma[k], seed, &r->plan_hash, &r->roster_hash));
        for (size_t i = 0; i < n; i++) sum[i] += take ? -part.value[i] : part.value[i];
    }
}

void arena_noise_stays(struct arena *a, uint32_t v, const struct noise *noise, struct noise *out)
{
    const struct session *s = &a->session[v];
    must(noise_new(out, noise->n));
    memcpy(out->value, noise->value, noise->n * sizeof *noise->value);
    memcpy(a->noise_seed[v], s->noise_seed, SHARE_BYTES);
    add_parts(a, out->value, noise->n, v, 1, s->plan.removable, true);
}

void arena_noise_kept(const struct arena *a, struct noise *out)
{
    const struct round *r = &a->round;
    size_t n = 0;
    for (uint32_t l = 0; l < r->plan.n_segments; l++) n += r->plan.segment[l].dim;
    must(noise_new(out, n));
    const size_t dropped = bits_count(&r->plan.cohort) - bits_count(&r->survivors);
    for (uint32_t v = 0; v < a->n && r->plan.removable > 0; v++)
        if (bits_has(&r->survivors, v)) add_parts(a, out->value, n, v, 1, (uint32_t)dropped, false);
}
