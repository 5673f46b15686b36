/* SPDX-License-Identifier: Apache-2.0 */
/* What a study has released so far, for each adversary that its reports name. The sites keep their
 * own ledgers and stop the study themselves; this one is for reports. */
#ifndef AGGREGATOR_SPEND_H
#define AGGREGATOR_SPEND_H

#include "dp/account.h"
#include "protocol/schedule.h"

enum adversary {
    ADVERSARY_SERVER,    /* the coordinator alone: knows no noise share */
    ADVERSARY_COLLUSION, /* the coordinator with c sites: knows c shares */
    ADVERSARY_READER,    /* whoever reads the models: knows no noise share, and only sums */
    ADVERSARY_COUNT
};

/* "server", "server and 1 site", "model reader": static storage or out. */
void spend_name(char *out, size_t n, enum adversary adversary, uint32_t colluding);

struct spend {
    struct account happened[ADVERSARY_COUNT]; /* with the survivors that there were */
};

/* Add a round whose survivor set was published, whether or not it was opened. */
MUST_USE enum status spend_add(struct spend *spend, const struct plan *plan, uint32_t n_survivors);

/* What the whole study can cost at most: every round with the fewest survivors allowed. */
MUST_USE enum status spend_worst(struct account *out, const struct schedule *schedule,
                                 enum adversary adversary, const struct bits *keep);

#endif
