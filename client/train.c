/* SPDX-License-Identifier: Apache-2.0 */
#include "client/train.h"

#include "client/submit.h"
#include "protocol/schedule.h"

/* The sum of the clip bits, saturated as every coordinate is. */
static int32_t sum_bits(int64_t within, const struct plan *plan)
{
    const int64_t sum = within * plan->clip_bit, cap = plan->grid.cap;
    return (int32_t)(sum > cap ? cap : sum < -cap ? -cap : sum);
}

/* Leave out the coordinates that pruning set to zero: they are zero in every contribution. What
 * counts the contributions within the clip comes last. */
static enum status pick_kept(struct encoded *out, const struct encoded *in, const struct bits *kept,
                             int64_t within, const struct plan *plan)
{
    TRY(encoded_new(out, bits_count(kept) + (plan->clip_bit > 0 ? 1 : 0)));
    size_t at = 0;
    for (size_t i = 0; i < in->n; i++)
        if (bits_has(kept, i)) out->value[at++] = in->value[i];
    if (plan->clip_bit > 0) out->value[at] = sum_bits(within, plan);
    return STATUS_OK;
}

enum status train_run(struct encoded *out, struct local *local, const struct plan *plan,
                      struct rng *rng)
{
    const struct update update = {.n = local->model.layout.n, .value = local->grad};
    const struct grid grid = schedule_grid(plan);
    int64_t within = 0;
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    TRY(grid_sum_new(&sum, update.n, &grid));
    if (local->study->privacy.unit == STUDY_SITE) {
        TRY(local_epochs(local, rng));
        TRY(submit_contribution(&sum, &within, &update, local->clip, &grid));
    } else {
        const size_t n = local_sample(local, plan->sampling, rng);
        for (size_t i = 0; i < n; i++) {
            local_gradient(local, local->pick[i]);
            TRY(submit_contribution(&sum, &within, &update, local->clip, &grid));
        }
    }
    AUTO(encoded_free) struct encoded whole = {0};
    TRY(grid_seal(&whole, &sum, &grid, NULL));
    return pick_kept(out, &whole, &local->shrunk.kept, within, plan);
}
