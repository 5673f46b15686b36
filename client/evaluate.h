/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation: of how many of the site's held-out records of each class the model is right, and of
 * how many wrong. Counts are all that leaves, by the same road as a gradient. */
#ifndef CLIENT_EVALUATE_H
#define CLIENT_EVALUATE_H

#include "base/stage.h"
#include "client/local.h"

/* Count the loaded state's rights and wrongs and hand over the site's integer sum: all of them
 * (unit patient: one record moves one coordinate by one step), or as shares of the site's records
 * (unit site). All zero when no records are held out.
 * STATUS_NOMEM  out is untouched. */
MUST_USE enum status evaluate_run(struct encoded *out, struct local *local,
                                  const struct plan *plan);

/* Held-out records of the class that has most. */
uint64_t evaluate_most(const struct local *local);

/* Held-out records whose pixels are those of a training record. STATUS_NOMEM. */
MUST_USE enum status evaluate_shared(size_t *out, const struct local *local);

#endif
