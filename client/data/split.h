/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLIENT_DATA_SPLIT_H
#define CLIENT_DATA_SPLIT_H

#include "client/data/data.h"
#include "crypto/rng.h"

/* Partition records over sites by labels: for each class the shares of the sites are drawn from a
 * symmetric Dirichlet(alpha) (Hsu, Qi, Brown 2019); drawn again until every site has at least
 * `least` records.
 *
 * site   data->n entries, overwritten: which site gets record i.
 * alpha  > 0, small is more unequal.
 *
 * STATUS_RANGE  n_sites 0 or above 65535, alpha not > 0, or `least` cannot be met in 1000 draws. */
MUST_USE enum status split_dirichlet(uint16_t *site, const struct dataset *data, uint32_t n_sites,
                                     double alpha, size_t least, struct rng *rng);

/* Copy the records of one site. */
MUST_USE enum status split_take(struct dataset *out, const struct dataset *data,
                                const uint16_t *site, uint16_t which);

#endif
