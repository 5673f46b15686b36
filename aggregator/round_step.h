/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of the round's table, two per phase: take a message, and end the phase. Private to
 * round*.c and unmask.c. */
#ifndef AGGREGATOR_ROUND_STEP_H
#define AGGREGATOR_ROUND_STEP_H

#include "aggregator/round.h"

typedef enum status round_take(struct round *r, uint32_t from, struct view in, struct outbox *out);
/* Returns REASON_NONE through *why when the next phase may begin. */
typedef enum status round_end(struct round *r, enum reason *why, struct outbox *out);

round_take round_take_advert, round_take_shares, round_take_masked, round_take_confirm,
    round_take_unmask;
round_end round_end_keys, round_end_shares, round_end_collect, round_end_confirm, round_end_reveal;

/* Whether every segment has at least m + c members among `sites`. */
bool round_segments_full(const struct round *r, const struct bits *sites);
MUST_USE enum status round_same(const struct round *r, const uint8_t *session);
/* Place of a site among those set, in ascending order. */
size_t round_rank(const struct bits *set, uint32_t site);
/* Nothing more is taken from this site in this round, and why is noted. */
MUST_USE enum status round_blame(struct round *r, uint32_t site, enum reason why,
                                 struct outbox *out);

#endif
