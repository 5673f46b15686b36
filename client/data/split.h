/* SPDX-License-Identifier: Apache-2.0 */
/* Play several sites with one data set: for studies on one machine and for tests. */
#ifndef CLIENT_DATA_SPLIT_H
#define CLIENT_DATA_SPLIT_H

#include "client/data/data.h"
#include "crypto/rng.h"

/* Partition records over sites by labels: for each class the shares of the sites are drawn from a
 * symmetric Dirichlet(alpha) (Yurochkin et al. 2019); drawn again until every site has at least
 * `least` records. The same seed gives the same partition.
 *
 * site   data->n entries: which site gets record i.
 * alpha  > 0 and finite, small is more unequal.
 *
 * STATUS_RANGE  n_sites 0 or above 65535, alpha out of range, or `least` is not met in 1000 draws.
 * STATUS_NOMEM. site is untouched then. */
MUST_USE enum status split_dirichlet(uint16_t *site, const struct dataset *data, uint32_t n_sites,
                                     double alpha, size_t least, struct rng *rng);

/* Copy the records of one site, in their order; site has data->n entries.
 * STATUS_RANGE  the site has none. STATUS_NOMEM. out is untouched then. */
MUST_USE enum status split_take(struct dataset *out, const struct dataset *data,
                                const uint16_t *site, uint16_t which);

#endif
