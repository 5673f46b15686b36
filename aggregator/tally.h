/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGGREGATOR_TALLY_H
#define AGGREGATOR_TALLY_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/stage.h"

/* Whether packed bytes (write_packed) are exactly n elements of `bits` bits, with clean padding. */
bool tally_fits(struct view packed, size_t n, unsigned bits);

/* Add a masked vector to the running sum as it travels, packed, modulo 2^32 (of which 2^bits is a
 * quotient): what one site sent is nowhere else, and forgotten at once. It fits. */
void tally_add(struct total *total, struct view packed, unsigned bits);

#endif
