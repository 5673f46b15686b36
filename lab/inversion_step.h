/* SPDX-License-Identifier: Apache-2.0 */
/* What inversion*.c share. Private to them. */
#ifndef LAB_INVERSION_STEP_H
#define LAB_INVERSION_STEP_H

#include "lab/inversion.h"

/* For AUTO: what a pointer points to. */
void inversion_release(void *pointer);

/* Deal data to the study's sites, to the others and to the guess: share has a place for each site.
 * STATUS_RANGE  too few records. STATUS_NOMEM. */
MUST_USE enum status inversion_deal(struct inversion *inversion, struct dataset *share,
                                    const struct dataset *data, struct rng *rng);

/* Make pictures of all that was captured in a round, and compare them. STATUS_NOMEM. */
MUST_USE enum status inversion_attack(struct inversion *inversion, const struct capture *capture,
                                      const struct round *round, struct rng *rng);

#endif
