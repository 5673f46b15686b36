/* SPDX-License-Identifier: Apache-2.0 */
/* Which coordinates of a layer a training round is about, where it is not about all: k of n, each
 * set of k as likely as any other, drawn by public chance, the same at all parties ("random-k";
 * random masks of arXiv 1610.05492). No data has a part in it: a contribution is cut down to them
 * before it is clipped, so that the clip bounds what is sent and nothing else is. */
#ifndef PROTOCOL_PICK_H
#define PROTOCOL_PICK_H

#include <stdbool.h>

#include "crypto/rng.h"

struct pick {
    uint64_t n, k; /* still to be asked about, and how many of them are picked */
    struct rng rng;
};

/* k of n by a public seed; k <= n. */
void pick_start(struct pick *out, uint64_t n, uint64_t k,
                const uint8_t seed[static RNG_SEED_BYTES]);

/* Whether the next one is picked; asked n times at most. */
bool pick_next(struct pick *pick);

/* How many of n > 0 a share in (0, 1] is: the nearest whole number, at least one. */
uint64_t pick_count(uint64_t n, double share);

#endif
