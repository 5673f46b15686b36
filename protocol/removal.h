/* SPDX-License-Identifier: Apache-2.0 */
/* Noise that the coordinator takes away again (dp/xnoise.h): which part of it, from which seed; one
 * derivation, used by the site that adds and by the aggregator that takes away. A site draws part k
 * from seed k, and seed k + 1 follows from seed k, but not the other way round: who is given one
 * seed has that part and all later ones, and of earlier ones nothing. */
#ifndef PROTOCOL_REMOVAL_H
#define PROTOCOL_REMOVAL_H

#include "crypto/share.h"
#include "dp/noise.h"
#include "dp/xnoise.h"
#include "protocol/msg.h"

/* The parts of a plan's noise; without removable ones a single part, the whole share.
 * STATUS_RANGE  the plan's noise cannot be taken away in such parts: on a ring, with segments that
 *               not all of the cohort are in, by table, or with other than cohort - T dropouts, or
 *               xnoise_of; out is untouched. */
MUST_USE enum status removal_parts(struct xnoise *out, const struct plan *plan);

/* The first part that is too much when these sites survived; 0: none is. */
uint32_t removal_first(const struct plan *plan, const struct bits *survivors);

/* Variance of what each of n_survivors keeps of its noise; 0 where removal_parts refuses. */
uint64_t removal_kept(const struct plan *plan, uint32_t n_survivors);

/* From the seed of a part to that of the next one; a field element, as shares need it. */
void removal_next(uint8_t seed[static SHARE_BYTES]);

/* What a dealer commits to. */
struct hash removal_commit(const uint8_t seed[static SHARE_BYTES]);

/* Draw a part from its seed: n coordinates, those of all segments one after the other. sigma 0
 * gives zeros. out is secret. STATUS_NOMEM; out is untouched. */
MUST_USE enum status removal_draw(struct noise *out, size_t n, uint32_t sigma,
                                  const uint8_t seed[static SHARE_BYTES], const struct hash *plan,
                                  const struct hash *roster);

#endif
