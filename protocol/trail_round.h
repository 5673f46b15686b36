/* SPDX-License-Identifier: Apache-2.0 */
/* What the coordinator can show of one round: its own two signed statements, whose inputs came, and
 * the sites' signatures that this is so. Body of TRAIL_ROUND. */
#ifndef PROTOCOL_TRAIL_ROUND_H
#define PROTOCOL_TRAIL_ROUND_H

#include "protocol/trail.h"
#include "protocol/trail_letter.h"

struct trail_round {
    struct view plan_bytes; /* signed; borrowed */
    enum reason why;        /* it failed; REASON_NONE: it was opened */
    struct hash roster, dealers;
    struct bits survivors;   /* whose input was counted in; n bits; owned */
    struct bits opened;      /* segments; owned */
    uint32_t n_digests;      /* one of each survivor, in order */
    struct hash *digest;     /* digest hash of its input; owned */
    uint32_t n_confirms;     /* of the survivors hash; 0 unless so many came that it was opened */
    struct confirm *confirm; /* owned; session is not repeated */
    uint32_t n_cohort;
    uint32_t (*taken)[TRAIL_LETTERS]; /* bytes taken of each of the cohort, in order; owned */
    struct view result_bytes;         /* signed; empty when it failed; borrowed */

    struct plan plan; /* parsed by trail_round_read; owned */
    struct hash plan_hash;
};
void trail_round_free(struct trail_round *round);

/* Append the body; plan and plan_hash are not looked at. */
void trail_round_write(struct buffer *out, const struct trail_round *round);

/* n is the number of members, server the coordinator's public key.
 * STATUS_FORMAT, STATUS_AUTH (the plan's signature), STATUS_NOMEM; out is untouched. */
MUST_USE enum status trail_round_read(struct trail_round *out, struct view in, uint32_t n,
                                      const uint8_t *server);

#endif
