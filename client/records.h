/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a site's records come from, as its operator names them. Part of the program: it
 * prints. */
#ifndef CLIENT_RECORDS_H
#define CLIENT_RECORDS_H

#include <stdbool.h>

#include "client/site.h"

/* NULL where nothing was said. */
struct records {
    const char *images, *labels;           /* idx, or */
    const char *npz, *split;               /* as MedMNIST has them; split [train] */
    const char *held_images, *held_labels; /* held out for evaluations, or */
    const char *held_split;                /* of the npz, or nothing */
};

/* What is wrong with the way they are named, or NULL. */
const char *records_usage(const struct records *records);

/* Read what is named; held stays empty when nothing is held out. As idx_read. */
MUST_USE enum status records_read(struct dataset *data, struct dataset *held,
                                  const struct records *records, struct data_error *why);

/* Hand over what is held out, and say what its operator should know of it. As site_hold_out. */
MUST_USE enum status records_hold_out(struct site *site, struct dataset *held,
                                      struct site_error *why);

#endif
