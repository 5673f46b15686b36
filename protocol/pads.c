/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/pads.h"

#include <string.h>

#include "crypto/kdf.h"

static void put_u32(uint8_t out[static 4], uint32_t x)
{
    for (size_t i = 0; i < 4; i++) out[i] = (uint8_t)(x >> (8 * i));
}

static void derive(struct pad *out, const uint8_t *key, const char *label,
                   const struct hash *bound[], size_t n_bound, uint32_t segment)
{
    uint8_t context[3 * HASH_BYTES + 4];
    size_t n = 0;
    for (size_t i = 0; i < n_bound; i++, n += HASH_BYTES)
        memcpy(context + n, bound[i]->bytes, HASH_BYTES);
    put_u32(context + n, segment);
    kdf_derive(out->key, key, label, (struct view){.at = context, .n = n + 4});
}

void pads_self(struct pad *out, const uint8_t seed[static 32], const struct hash *plan,
               const struct hash *roster, uint32_t segment)
{
    const struct hash *bound[] = {plan, roster};
    derive(out, seed, "self pad", bound, 2, segment);
    out->sign = 1;
}

void pads_pair(struct pad *out, const uint8_t shared[static 32], const struct hash *plan,
               const struct hash *roster, const struct hash *dealers, uint32_t segment, uint32_t u,
               uint32_t v)
{
    const struct hash *bound[] = {plan, roster, dealers};
    derive(out, shared, "pair pad", bound, 3, segment);
    out->sign = u < v ? 1 : -1;
}

struct hash pads_order(const struct hash *roster, uint32_t segment)
{
    uint8_t number[4];
    put_u32(number, segment);
    struct hash_state state;
    hash_start(&state, "pads");
    hash_add(&state, roster->bytes, HASH_BYTES);
    hash_add(&state, number, sizeof number);
    return hash_end(&state);
}
