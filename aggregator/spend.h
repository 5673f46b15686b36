/* SPDX-License-Identifier: Apache-2.0 */
/* What a study releases, in the coordinator's own ledger, and what it can cost at most. The sites
 * keep their ledgers and stop the study themselves; this one is for reports, and so that the
 * coordinator stops in time to give them the model. */
#ifndef AGGREGATOR_SPEND_H
#define AGGREGATOR_SPEND_H

#include "protocol/ledger.h"
#include "protocol/schedule.h"

struct spend {
    struct ledger ledger;
    struct hash manifest;
    size_t study; /* its place in the ledger's books */
    struct books_limits limits;
    uint32_t certain; /* shares of a release that all of the cohort have a part in; 0 where blocks
                       * are allocated: what few hold is never settled at more than was reserved */
};

/* All calls that return a status: those of db_open and of protocol/ledger.h. */

/* Open the ledger of a coordinator's folder, and enter the study unless it was begun before.
 * STATUS_STATE  it was begun, and the ledger does not know it. */
MUST_USE enum status spend_open(struct spend *out, const char *path,
                                const struct schedule *schedule, const struct hash *manifest,
                                const uint8_t *identity, bool begun, uint64_t time_s,
                                struct ledger_fault *fault);
void spend_close(struct spend *spend);

/* Reserve a round at its worst, before its plan leaves. A reservation of the same round that stands
 * is of a plan that never left, and is void. STATUS_BUDGET  it would cross the study's epsilon. */
MUST_USE enum status spend_reserve(struct spend *spend, const struct plan *plan, uint64_t time_s);

/* A round is over, and that is on disk. Without inputs it cost nothing; opened, what its survivors
 * leave; otherwise it stays at its worst. What was ended before, or never reserved, is left alone.
 */
MUST_USE enum status spend_end(struct spend *spend, uint32_t round, uint32_t n_inputs, bool opened,
                               uint64_t time_s);

/* What was released so far costs an adversary, at the best order afterwards. */
MUST_USE enum status spend_epsilon(double *epsilon, const struct spend *spend, enum adversary who);

/* What the whole study can cost an adversary at most, at the best order afterwards: every round
 * with the fewest survivors allowed, whatever the clip and what is kept; no round failing, for each
 * that fails after its inputs came is paid too, until the gates refuse. */
MUST_USE enum status spend_worst(double *epsilon, const struct schedule *schedule,
                                 enum adversary who, const struct bits *keep);

#endif
