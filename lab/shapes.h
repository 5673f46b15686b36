/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures that no data set is needed for: for a first look at an audit. */
#ifndef LAB_SHAPES_H
#define LAB_SHAPES_H

#include "client/data/data.h"
#include "crypto/rng.h"
#include "protocol/layout.h"

/* Draw n records of the size of a model's input: some bright ellipses on a dark ground. Labels are
 * even and tell how many there are, as far as there are classes. Freed by dataset_free.
 * STATUS_RANGE  larger than data.h allows. STATUS_NOMEM. out is untouched then. */
MUST_USE enum status shapes_draw(struct dataset *out, const struct model_spec *spec, size_t n,
                                 struct rng *rng);

#endif
