/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/removal.h"

#include <string.h>

#include "base/secret.h"
#include "crypto/kdf.h"

enum status removal_parts(struct xnoise *out, const struct plan *plan)
{
    const struct params *params = &plan->params;
    const uint32_t cohort = (uint32_t)bits_count(&plan->cohort);
    if (plan->removable == 0) {
        *out = (struct xnoise){.sigma = {plan->grid.sigma}};
        return STATUS_OK;
    }
    if (params->k > 0 || plan->sampler != NOISE_EXACT ||
        (uint64_t)plan->removable + params->quorum != cohort)
        return STATUS_RANGE;
    for (uint32_t l = 0; l < plan->n_segments; l++)
        if (!bits_equal(&plan->segment[l].members, &plan->cohort)) return STATUS_RANGE;
    return xnoise_of(out, plan->grid.sigma, cohort, params->quorum, params->c);
}

uint64_t removal_kept(const struct plan *plan, uint32_t n_survivors)
{
    struct xnoise parts;
    if (removal_parts(&parts, plan) != STATUS_OK) return 0;
    const uint32_t dropped = (uint32_t)bits_count(&plan->cohort) - n_survivors;
    return xnoise_kept(&parts, plan->removable > 0 ? dropped : 0);
}

uint32_t removal_first(const struct plan *plan, const struct bits *survivors)
{
    const size_t dropped = bits_count(&plan->cohort) - bits_count(survivors);
    return dropped < plan->removable ? (uint32_t)dropped + 1 : 0;
}

/* A field element has 255 bits; that these are not below the prime happens once in 2^250. */
void removal_next(uint8_t seed[static SHARE_BYTES])
{
    kdf_derive(seed, seed, "next noise", (struct view){0});
    seed[SHARE_BYTES - 1] &= 0x7f;
}

struct hash removal_commit(const uint8_t seed[static SHARE_BYTES])
{
    return hash_of("noise seed", (struct view){seed, SHARE_BYTES});
}

enum status removal_draw(struct noise *out, size_t n, uint32_t sigma,
                         const uint8_t seed[static SHARE_BYTES], const struct hash *plan,
                         const struct hash *roster)
{
    uint8_t context[2 * HASH_BYTES], key[KDF_KEY_BYTES];
    memcpy(context, plan->bytes, HASH_BYTES);
    memcpy(context + HASH_BYTES, roster->bytes, HASH_BYTES);
    kdf_derive(key, seed, "noise", (struct view){context, sizeof context});
    struct rng rng = {0};
    rng_seeded(&rng, key);
    const enum status status = noise_draw(out, n, sigma, NOISE_EXACT, &rng);
    rng_wipe(&rng);
    secret_wipe(key, sizeof key);
    return status;
}
