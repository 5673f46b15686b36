/* SPDX-License-Identifier: Apache-2.0 */
#include "client/train.h"

#include "client/submit.h"

/* Leave out the coordinates that pruning set to zero: they are zero in every contribution. */
static enum status pick_kept(struct encoded *out, const struct encoded *in, const struct bits *kept)
{
    TRY(encoded_new(out, bits_count(kept)));
    size_t at = 0;
    for (size_t i = 0; i < in->n; i++)
        if (bits_has(kept, i)) out->value[at++] = in->value[i];
    return STATUS_OK;
}

enum status train_run(struct encoded *out, struct local *local, const struct plan *plan,
                      struct rng *rng)
{
    const struct update update = {.n = local->model.layout.n, .value = local->grad};
    const double clip = local->study->privacy.clip;
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    TRY(grid_sum_new(&sum, update.n, &plan->grid));
    if (local->study->privacy.unit == STUDY_SITE) {
        TRY(local_epochs(local, rng));
        TRY(submit_contribution(&sum, &update, clip, &plan->grid));
    } else {
        const size_t n = local_sample(local, plan->sampling, rng);
        for (size_t i = 0; i < n; i++) {
            local_gradient(local, local->pick[i]);
            TRY(submit_contribution(&sum, &update, clip, &plan->grid));
        }
    }
    AUTO(encoded_free) struct encoded whole = {0};
    TRY(grid_seal(&whole, &sum, &plan->grid, NULL));
    return pick_kept(out, &whole, &local->shrunk.kept);
}
