/* SPDX-License-Identifier: Apache-2.0 */
#include "client/records.h"

#include <stdio.h>

const char *records_usage(const struct records *records)
{
    const struct records *r = records;
    if (r->npz == NULL && (r->images == NULL || r->labels == NULL))
        return "data (--npz, or --images and --labels) are needed";
    if (r->held_split == NULL ? (r->held_images == NULL) != (r->held_labels == NULL)
                              : r->npz == NULL || r->held_images != NULL || r->held_labels != NULL)
        return "held-out data are --holdout-images and --holdout-labels, or a --holdout-split of "
               "the --npz";
    return NULL;
}

enum status records_read(struct dataset *data, struct dataset *held, const struct records *records,
                         struct data_error *why)
{
    const struct records *r = records;
    if (r->npz != NULL)
        TRY(npz_read(data, r->npz, r->split == NULL ? "train" : r->split, why));
    else
        TRY(idx_read(data, r->images, r->labels, why));
    if (r->held_split != NULL) return npz_read(held, r->npz, r->held_split, why);
    if (r->held_images != NULL) return idx_read(held, r->held_images, r->held_labels, why);
    return STATUS_OK;
}

enum status records_hold_out(struct site *site, struct dataset *held, struct site_error *why)
{
    if (held->n == 0) {
        if (schedule_steps(&site->study, STEP_EVALUATE) > 0)
            fprintf(stderr, "no records are held out: this site adds its noise to the study's "
                            "evaluations, and no counts\n");
        return STATUS_OK;
    }
    size_t shared = 0;
    const size_t n = held->n;
    TRY(site_hold_out(site, held, &shared, why));
    if (shared > 0)
        fprintf(stderr,
                "%zu of %zu held-out records are training records too: the evaluation will look "
                "better than the model is\n",
                shared, n);
    return STATUS_OK;
}
