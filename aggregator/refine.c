/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/refine.h"

#include <stdlib.h>
#include <string.h>

static void forget(struct refine *refine)
{
    for (size_t i = 0; refine->sees && i < refine->n; i++) refine->value[i] = -1;
}

enum status refine_new(struct refine *out, const struct study *study, const struct layout *layout,
                       const float *weight)
{
    if (study->pruning.refine_every == 0) return STATUS_OK;
    const bool sees = study->pruning.mask == STUDY_MASK_PRUNEFL;
    AUTO(refine_free)
    struct refine refine = {.sees = sees, .n = sees ? layout->n : layout_units(layout)};
    refine.value = calloc(refine.n, sizeof *refine.value);
    refine.initial = calloc(layout->n, sizeof *refine.initial);
    if (refine.value == NULL || refine.initial == NULL) return STATUS_NOMEM;
    memcpy(refine.initial, weight, layout->n * sizeof *weight);
    forget(&refine);
    *out = refine;
    refine = (struct refine){0};
    return STATUS_OK;
}

void refine_free(struct refine *refine)
{
    free(refine->value);
    free(refine->initial);
    *refine = (struct refine){0};
}

void refine_forget(struct refine *refine)
{
    refine->done++;
    forget(refine);
}

void refine_see(struct refine *refine, size_t i, float mean, uint32_t round)
{
    if (!refine->sees) return;
    float *value = &refine->value[i];
    const float square = mean * mean;
    *value = *value < 0 ? square : *value + (square - *value) / (float)round;
}
