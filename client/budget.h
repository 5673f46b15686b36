/* SPDX-License-Identifier: Apache-2.0 */
/* What a site's patients can still spend: its ledger (protocol/ledger.h) and its journal, which
 * together survive a crash at any point. In the order in which they are written:
 *
 *   1 ledger   reserve, at the worst     before noise is drawn
 *   2 journal  MEMORY_INPUT              before the masked input leaves
 *   3 journal  MEMORY_RESULT             when the survivors are known
 *   4 ledger   settle
 *
 * Each is on disk before the next begins. A crash between 1 and 2 leaves a reservation for a round
 * whose input cannot leave any more, for its seeds are gone: the journal proves it, and it is void.
 * Between 2 and 3 it stays at its worst for good; between 3 and 4 it is settled later, from the
 * journal. So an input that left is always reserved, and what is reserved without one costs at most
 * until the next start. */
#ifndef CLIENT_BUDGET_H
#define CLIENT_BUDGET_H

#include "base/file.h"
#include "client/journal.h"
#include "protocol/policy.h"
#include "protocol/schedule.h"
#include "protocol/terms.h"

struct budget {
    struct ledger ledger;
    struct journal *journal; /* borrowed */
    struct hash manifest;
    size_t study;     /* its place in the ledger's books */
    uint32_t certain; /* shares of a release that all of the cohort have a part in; 0 where blocks
                       * are allocated: what few hold is never settled at more than was reserved */
    struct books_limits limits;
};

/* All calls that return a status: those of db_open and of protocol/ledger.h. */

/* Enter a study, once: when it is pinned. The journal was bound to the manifest before.
 * STATUS_STATE   the ledger is not the one that the journal knows, or has the study or data set on
 *                other terms.
 * STATUS_FORMAT  an entry does not hold; fault has it. */
MUST_USE enum status budget_begin(const char *path, struct journal *journal,
                                  const struct policy *policy, const struct schedule *schedule,
                                  const struct hash *manifest, const uint8_t *identity,
                                  uint64_t time_s, struct ledger_fault *fault);

/* Open the budget of a study that was entered, and balance it.
 * identity       borrowed; NULL: only to look at it; then it is not balanced.
 * STATUS_STATE   as above; or the study was never entered; or ledger and journal contradict each
 *                other: one of them is not the newest.
 * STATUS_FORMAT  an entry does not hold; fault has it. */
MUST_USE enum status budget_open(struct budget *out, const char *path, struct journal *journal,
                                 const struct policy *policy, const struct study *study,
                                 const struct hash *manifest, const uint8_t *identity,
                                 uint64_t time_s, struct ledger_fault *fault);
void budget_close(struct budget *budget);

/* Once no round of this site is under way: settle what has a result in the journal, and give back
 * what never left. */
MUST_USE enum status budget_balance(struct budget *budget, uint64_t time_s);

/* Whether a plan's release, at its worst, is within the limits. STATUS_BUDGET  why says which is
 * crossed. */
MUST_USE enum status budget_bears(struct budget *budget, const struct plan *plan,
                                  struct books_refusal *why);

/* The same, and reserve it. STATUS_STATE  the round has a reservation. */
MUST_USE enum status budget_reserve(struct budget *budget, const struct plan *plan, uint64_t time_s,
                                    struct books_refusal *why);

/* Whether a round has a reservation that still stands: no input leaves without one. */
bool budget_holds(const struct budget *budget, uint32_t round);

/* What the study has cost against the coordinator with its colluding sites, at the best order
 * afterwards. */
MUST_USE enum status budget_spent(const struct budget *budget, double *epsilon, uint32_t *releases);

#endif
