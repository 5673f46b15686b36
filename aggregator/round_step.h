/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of the round's table, two per phase: take a message, and end the phase. Private to
 * round*.c and unmask.c. */
#ifndef AGGREGATOR_ROUND_STEP_H
#define AGGREGATOR_ROUND_STEP_H

#include "aggregator/round.h"

typedef enum status round_take(struct round *r, uint32_t from, struct view in, struct outbox *out);
/* Returns REASON_NONE through *why when the next phase may begin. */
typedef enum status round_end(struct round *r, enum reason *why);

round_take round_take_advert, round_take_position, round_take_shares, round_take_masked,
    round_take_digest, round_take_confirm, round_take_unmask;
round_end round_end_keys, round_end_positions, round_end_shares, round_end_collect,
    round_end_confirm, round_end_reveal;

/* Who may answer in the present phase, and is told what it needs for that; at the end: who is told
 * how it ended. */
const struct bits *round_asked(const struct round *r);
/* Whether there are T `sites`, and every segment has at least m + c members among them. */
bool round_enough(const struct round *r, const struct bits *sites);
MUST_USE enum status round_same(const struct round *r, const uint8_t *session);
/* Nothing more is taken from this site in this round, and why is noted. */
MUST_USE enum status round_blame(struct round *r, uint32_t site, enum reason why,
                                 struct outbox *out);

void dealing_free(struct dealing *dealing);
/* Free what is not needed any more when the inputs are in. */
void dealing_settle(struct dealing *dealing);

/* Whether a dealer dropped before its input came. */
bool round_dropped(const struct round *r, uint32_t site);
/* Make room for the shares that the survivor set asks for. STATUS_NOMEM. */
MUST_USE enum status round_open_reveal(struct round *r);
/* Whether the seeds of every dealer can be rebuilt. */
bool round_revealed(const struct round *r);
/* Whether the survivor set asks for the share of a dealer at a place: the kind is never a choice.
 */
bool round_asks(const struct round *r, uint32_t dealer, uint32_t place);

#endif
