/* SPDX-License-Identifier: Apache-2.0 */
/* What the partitions share. Private to split*.c. */
#ifndef CLIENT_DATA_SPLIT_STEP_H
#define CLIENT_DATA_SPLIT_STEP_H

#include "client/data/split.h"

#define SPLIT_DRAWS_MAX 1000
#define SPLIT_CLASSES 256 /* of an 8-bit label */

/* For AUTO: what a pointer points to. */
void split_release(void *pointer);

void split_shuffle(size_t *order, size_t n, struct rng *rng);

/* Cut n records in proportion to the weights exp(share[s]): end[s] is the place after the last
 * record of site s, end[n_sites - 1] is n. share is overwritten. */
void split_cut(size_t *end, double *share, uint32_t n_sites, size_t n);

/* Partitions by what the labels are: split_label.c. Arguments and failures as of split_run. */
MUST_USE enum status split_pathological(uint16_t *site, const struct dataset *data,
                                        uint32_t n_sites, double classes, size_t least,
                                        struct rng *rng);

#endif
