/* SPDX-License-Identifier: Apache-2.0 */
/* Records that are the same, pixel for pixel, found by their hashes; the hashes stay in memory. */
#ifndef CLIENT_OVERLAP_H
#define CLIENT_OVERLAP_H

#include "client/data/data.h"

/* Records of a set whose pixels are those of another record of it that stands before them, and how
 * many of these have another label. STATUS_NOMEM: out is untouched. */
struct overlap {
    size_t again, disputed;
};
MUST_USE enum status overlap_within(struct overlap *out, const struct dataset *data);

/* Records of `other` whose pixels are those of a record of data. STATUS_NOMEM: out is untouched. */
MUST_USE enum status overlap_between(size_t *out, const struct dataset *data,
                                     const struct dataset *other);

#endif
