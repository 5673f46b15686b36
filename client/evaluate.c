/* SPDX-License-Identifier: Apache-2.0 */
#include "client/evaluate.h"

#include "base/secret.h"
#include "client/overlap.h"
#include "dp/count.h"

#define CLASSES_MAX 256 /* labels are bytes */

struct cells {
    uint32_t count[COUNT_KINDS * CLASSES_MAX]; /* secret */
};

static void cells_wipe(struct cells *cells)
{
    secret_wipe(cells, sizeof *cells);
}

enum status evaluate_run(struct encoded *out, struct local *local, const struct plan *plan)
{
    const size_t classes = local->study->model.spec.classes;
    const enum count_unit unit =
        local->study->privacy.unit == STUDY_PATIENT ? COUNT_RECORDS : COUNT_SHARES;
    AUTO(cells_wipe) struct cells cells = {{0}};
    for (uint32_t i = 0; i < local->held.n; i++) {
        const size_t wrong = local_is_right(local, i) ? 0 : classes;
        cells.count[wrong + local->held.label[i]]++;
    }
    return count_encode(out, cells.count, COUNT_KINDS * classes, unit, &plan->grid);
}

uint64_t evaluate_most(const struct local *local)
{
    AUTO(cells_wipe) struct cells cells = {{0}};
    uint32_t most = 0;
    for (size_t i = 0; i < local->held.n; i++) {
        uint32_t *count = &cells.count[local->held.label[i]];
        (*count)++;
        most = *count > most ? *count : most;
    }
    return most;
}

enum status evaluate_shared(size_t *out, const struct local *local)
{
    return overlap_between(out, &local->data, &local->held);
}
