/* SPDX-License-Identifier: Apache-2.0 */
/* What a study enters a ledger with. */
#ifndef PROTOCOL_TERMS_H
#define PROTOCOL_TERMS_H

#include "protocol/ledger.h"
#include "protocol/schedule.h"

/* The limit of a data set over all its studies. */
struct lifetime {
    const char *data_set;  /* ledger_name_valid */
    enum study_unit unit;  /* whom it protects */
    double epsilon, delta; /* epsilon may be infinite */
};

/* The order of the study's gate is the one that its noise was calibrated with. That of a new data
 * set is the one at which studies like this, as many of them as it takes, reach the lifetime's
 * epsilon; whichever it is, it is fixed from then on, and the limit holds.
 * STATUS_RANGE  the name or a limit is outside its range; out is untouched. */
MUST_USE enum status terms_of(struct terms *out, const struct schedule *schedule,
                              const struct hash *manifest, const struct lifetime *lifetime);

#endif
