/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of the pads: one derivation, used by the site that adds and by the aggregator that takes
 * away. A pad key binds the plan (and with it the model, the session and the thresholds), the
 * roster (on a ring the positions, whose hash takes its place) and, between pairs, the set of
 * dealers, so that parties who were told different things get pads that do not cancel. */
#ifndef PROTOCOL_PADS_H
#define PROTOCOL_PADS_H

#include <stdint.h>

#include "crypto/hash.h"
#include "crypto/mask.h"

/* The pad that site u adds to segment l alone, from its self-mask seed. */
void pads_self(struct pad *out, const uint8_t seed[static 32], const struct hash *plan,
               const struct hash *roster, uint32_t segment);

/* The pad between u and v on segment l as u adds it, from their pair secret: the smaller number
 * adds, the larger subtracts. */
void pads_pair(struct pad *out, const uint8_t shared[static 32], const struct hash *plan,
               const struct hash *roster, const struct hash *dealers, uint32_t segment, uint32_t u,
               uint32_t v);

/* What orders the ring along which the pads of segment l run (graph_new). */
struct hash pads_order(const struct hash *roster, uint32_t segment);

#endif
