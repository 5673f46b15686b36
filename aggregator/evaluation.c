/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/evaluation.h"

#include <math.h>

#include "dp/count.h"
#include "protocol/removal.h"

enum status evaluation_of(struct evaluation *out, const struct round *round)
{
    const struct plan *plan = &round->plan;
    float value[COUNT_KINDS * EVALUATION_CLASSES_MAX];
    if (round->phase != PHASE_DONE || plan->step != STEP_EVALUATE) return STATUS_RANGE;
    if (!bits_has(&round->opened_set, 0)) return STATUS_RANGE;
    struct mean mean = {.n = plan->segment[0].dim, .value = value};
    if (mean.n > sizeof value / sizeof *value) return STATUS_RANGE;
    TRY(grid_decode(&mean, &round->opened[0], &plan->grid, 1));
    const uint32_t n = (uint32_t)bits_count(&round->survivors);
    const double noise2 = (double)n * (double)removal_kept(plan, n);
    struct evaluation e = {.classes = (uint32_t)(mean.n / COUNT_KINDS),
                           .noise = sqrt(noise2) / plan->grid.scale};
    for (uint32_t c = 0; c < e.classes; c++) {
        e.right[c] = (double)value[c];
        e.wrong[c] = (double)value[e.classes + c];
    }
    *out = e;
    return STATUS_OK;
}

/* Of n classes from the first on. right / seen with independent errors in rights and wrongs moves
 * by (1 - value) / seen for each right and by -value / seen for each wrong. */
static struct estimate share(const struct evaluation *e, uint32_t first, uint32_t n)
{
    double right = 0, seen = 0;
    for (uint32_t c = first; c < first + n; c++) {
        right += e->right[c];
        seen += e->right[c] + e->wrong[c];
    }
    if (!(seen > EVALUATION_CLEAR * e->noise * sqrt(2.0 * n)))
        return (struct estimate){(double)NAN, (double)NAN};
    const double value = fmin(fmax(right / seen, 0), 1);
    return (struct estimate){.value = value,
                             .error = e->noise *
                                      sqrt(n * ((1 - value) * (1 - value) + value * value)) / seen};
}

double evaluation_seen(const struct evaluation *e)
{
    double seen = 0;
    for (uint32_t c = 0; c < e->classes; c++) seen += e->right[c] + e->wrong[c];
    return seen;
}

struct estimate evaluation_accuracy(const struct evaluation *e)
{
    return share(e, 0, e->classes);
}

struct estimate evaluation_recall(const struct evaluation *e, uint32_t class)
{
    REQUIRE(class < e->classes);
    return share(e, class, 1);
}

struct estimate evaluation_balanced(const struct evaluation *e)
{
    double sum = 0, squares = 0;
    for (uint32_t c = 0; c < e->classes; c++) {
        const struct estimate recall = share(e, c, 1);
        sum += recall.value;
        squares += recall.error * recall.error;
    }
    return (struct estimate){sum / e->classes, sqrt(squares) / e->classes};
}
