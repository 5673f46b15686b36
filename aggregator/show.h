/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGGREGATOR_SHOW_H
#define AGGREGATOR_SHOW_H

#include "aggregator/round.h"

/* Append what an auditor will be shown of a round that is over (protocol/trail_round.h).
 * STATUS_NOMEM. */
MUST_USE enum status show_round(struct buffer *out, const struct round *round);

#endif
