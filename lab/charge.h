/* SPDX-License-Identifier: Apache-2.0 */
/* What a study on real data that is played on this machine costs its patients, in the ledger of
 * their site: reserved at the worst before it begins, settled when it is over. It counts as the
 * study would among its sites, and so against the coordinator with its colluding sites: whoever
 * reads what comes out learns less. Where the program dies, the reservation stays. */
#ifndef LAB_CHARGE_H
#define LAB_CHARGE_H

#include "lab/fleet.h"

/* For what stands against it, with a path. */
#define CHARGE_WHY_BYTES (FILE_PATH_MAX + 512)

struct charge {
    char path[FILE_PATH_MAX]; /* of the ledger */
    struct keyfile key;       /* secret */
    struct policy policy;
    struct ledger ledger;
    struct hash manifest;
    uint32_t reserved; /* releases, numbered from 1 */
};

/* Reserve all releases of a fleet whose study has not begun.
 *
 * folder  a site's: its key signs the entries, its policy names the ledger and the data set, judges
 *         the study and sets the limits.
 *
 * STATUS_BUDGET  the policy does not allow the study, or a limit would be crossed, or a record is
 *                more than one contribution: the unit is a site, there is no noise, or sites hold
 *                different blocks; nothing stays reserved. STATUS_STATE  the data set was opened
 * for another unit. STATUS_IO, STATUS_AUTH, STATUS_FORMAT, STATUS_RANGE  of key, policy or ledger.
 * STATUS_NOMEM. why says what; out may be closed. */
MUST_USE enum status charge_reserve(struct charge *out, const char *folder,
                                    const struct fleet *fleet, uint64_t time_s,
                                    char why[static CHARGE_WHY_BYTES]);

/* Settle what was opened at what it cost, and take back what never began; the rest stays at its
 * worst, and so does all of a study with several kinds of steps that ended early. epsilon  what the
 * study cost by this ledger, at the study's delta. Failures as ledger_settle. */
MUST_USE enum status charge_settle(struct charge *charge, double *epsilon,
                                   const struct fleet *fleet, uint64_t time_s);
void charge_close(struct charge *charge);

#endif
