/* SPDX-License-Identifier: Apache-2.0 */
/* What one dealer's leaf for one recipient commits to: the share of the pair seed, one share per
 * segment of the plan, one per removable part of its noise. Salts are derived from one salt, so
 * that one kind can be opened alone. */
#ifndef PROTOCOL_BUNDLE_H
#define PROTOCOL_BUNDLE_H

#include "crypto/share.h"
#include "protocol/msg.h"

/* One share of a bundle. */
struct place {
    bool have;                  /* share and salt are known; else only the commitment */
    uint8_t share[SHARE_BYTES]; /* secret */
    uint8_t salt[HASH_BYTES];
    struct hash commitment; /* zero for a segment that the dealer is not in */
};

struct bundle {
    uint32_t n;          /* bundle_places; 0: nothing was dealt */
    struct place *place; /* owned, wiped when freed */
};

/* Where a share stands: of the pair seed, of a segment's self seed, and of the noise seed of part 1
 * and on. */
#define BUNDLE_PAIR 0
#define BUNDLE_SELF(segment) (1 + (segment))
#define BUNDLE_NOISE(plan, part) ((plan)->n_segments + (part))
#define BUNDLE_PLACES_MAX (1 + MSG_SEGMENTS_MAX + XNOISE_REMOVABLE_MAX)

/* Places of every bundle under a plan, and bytes of the longest one that is sealed. */
uint32_t bundle_places(const struct plan *plan);
size_t bundle_sealed_max(const struct plan *plan);

/* n empty places. STATUS_NOMEM. */
MUST_USE enum status bundle_new(struct bundle *out, uint32_t n);
void bundle_free(struct bundle *bundle);

/* Commitment of one share: H(session, dealer, recipient, place, salt, share). */
struct hash bundle_commit(const uint8_t session[static MSG_SESSION_BYTES], uint32_t dealer,
                          uint32_t recipient, uint32_t place, const uint8_t salt[static HASH_BYTES],
                          const uint8_t share[static SHARE_BYTES]);
/* Salt of a place from the bundle's salt. */
void bundle_salt(uint8_t salt[static HASH_BYTES], const uint8_t master[static HASH_BYTES],
                 uint32_t place);
struct hash bundle_leaf(const struct bundle *bundle);

#endif
