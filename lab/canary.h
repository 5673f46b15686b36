/* SPDX-License-Identifier: Apache-2.0 */
/* Canaries: records that stand out, each of which is put among a study's own by a coin. */
#ifndef LAB_CANARY_H
#define LAB_CANARY_H

#include <stdbool.h>

#include "client/data/data.h"
#include "crypto/rng.h"
#include "protocol/study.h"

/* n records of pixels and labels by chance: nobody's. They fit the study's model. STATUS_NOMEM. */
MUST_USE enum status canary_random(struct dataset *out, const struct study *study, uint32_t n,
                                   struct rng *rng);

/* n different records of `from`, in an order by chance, each with another label than its own.
 * STATUS_RANGE  there are fewer, they do not fit, or the study has one class. STATUS_NOMEM. out is
 * untouched then. */
MUST_USE enum status canary_mislabelled(struct dataset *out, const struct study *study,
                                        const struct dataset *from, uint32_t n, struct rng *rng);

/* A fair coin for each. */
void canary_toss(bool *included, uint32_t n, struct rng *rng);

/* Put those that are included into the shares of a study's sites: canary i goes to site i modulo
 * n_sites, whatever the coins say of others. STATUS_NOMEM  the shares may only be freed. */
MUST_USE enum status canary_deal(struct dataset *share, uint32_t n_sites,
                                 const struct dataset *canary, const bool *included);

#endif
