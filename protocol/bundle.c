/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/bundle.h"

#include <stdlib.h>

#include "base/secret.h"
#include "crypto/kdf.h"
#include "crypto/seal.h"

uint32_t bundle_places(const struct plan *plan)
{
    return 1 + plan->n_segments + plan->removable;
}

size_t bundle_sealed_max(const struct plan *plan)
{
    return SEAL_EXTRA_BYTES + HASH_BYTES + (size_t)bundle_places(plan) * SHARE_BYTES;
}

void bundle_free(struct bundle *bundle)
{
    secret_wipe(bundle->place, bundle->n * sizeof *bundle->place);
    free(bundle->place);
    *bundle = (struct bundle){0};
}

enum status bundle_new(struct bundle *out, uint32_t n)
{
    struct place *place = calloc(n, sizeof *place);
    if (place == NULL) return STATUS_NOMEM;
    *out = (struct bundle){.n = n, .place = place};
    return STATUS_OK;
}

struct hash bundle_commit(const uint8_t session[static MSG_SESSION_BYTES], uint32_t dealer,
                          uint32_t recipient, uint32_t place, const uint8_t salt[static HASH_BYTES],
                          const uint8_t share[static SHARE_BYTES])
{
    struct hash_state state;
    hash_start(&state, "share");
    hash_add(&state, session, MSG_SESSION_BYTES);
    hash_add_u64(&state, dealer);
    hash_add_u64(&state, recipient);
    hash_add_u64(&state, place);
    hash_add(&state, salt, HASH_BYTES);
    hash_add(&state, share, SHARE_BYTES);
    return hash_end(&state);
}

void bundle_salt(uint8_t salt[static HASH_BYTES], const uint8_t master[static HASH_BYTES],
                 uint32_t place)
{
    const uint8_t context[4] = {(uint8_t)place, (uint8_t)(place >> 8), (uint8_t)(place >> 16),
                                (uint8_t)(place >> 24)};
    kdf_derive(salt, master, "salt", (struct view){.at = context, .n = sizeof context});
}

struct hash bundle_leaf(const struct bundle *bundle)
{
    struct hash_state state;
    hash_start(&state, "bundle");
    for (uint32_t i = 0; i < bundle->n; i++)
        hash_add(&state, bundle->place[i].commitment.bytes, HASH_BYTES);
    return hash_end(&state);
}
