/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGGREGATOR_TALLY_H
#define AGGREGATOR_TALLY_H

#include "base/stage.h"

/* Add a masked vector to the running sum, modulo 2^32 (of which 2^bits is a quotient): what one
 * site sent is forgotten at once. STATUS_RANGE  sizes differ; total is untouched. */
MUST_USE enum status tally_add(struct total *total, const struct masked *in);

#endif
