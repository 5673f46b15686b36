/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "protocol/layout_alive.h"

/* Units that have a kept coordinate in a row of their own. */
static enum status units_of(struct bits *units, const struct layout *layout,
                            const struct bits *keep)
{
    TRY(bits_new(units, layout_units(layout)));
    for (uint32_t t = 0; t < layout->n_tensors; t++) {
        const struct tensor *tensor = &layout->tensor[t];
        if (tensor->group == LAYOUT_NONE) continue;
        size_t first = layout_unit_first(layout, tensor->group);
        size_t at = tensor->offset;
        for (uint32_t r = 0; r < tensor->rows; r++)
            for (uint32_t c = 0; c < tensor->cols; c++, at++)
                if (bits_has(keep, at)) bits_set(units, first + r);
    }
    return STATUS_OK;
}

/* Fill index and kept from the coordinates of living units, in their order. */
static void gather(struct shrunk *small, const struct layout *full, const struct bits *units,
                   const struct bits *keep)
{
    size_t n = 0;
    uint64_t at = 0;
    for (uint32_t t = 0; t < full->n_tensors; t++) {
        const struct tensor *tensor = &full->tensor[t];
        for (uint32_t r = 0; r < tensor->rows; r++)
            for (uint32_t c = 0; c < tensor->cols; c++, at++) {
                if (!layout_coordinate_alive(full, units, tensor, r, c)) continue;
                REQUIRE(n < small->layout.n);
                if (bits_has(keep, at)) bits_set(&small->kept, n);
                small->index[n++] = at;
            }
    }
    REQUIRE(n == small->layout.n);
}

enum status layout_shrink(struct shrunk *out, const struct model_spec *spec,
                          const struct layout *full, const struct bits *keep)
{
    if (keep->n != full->n) return STATUS_RANGE;
    AUTO(bits_free) struct bits units = {0};
    TRY(units_of(&units, full, keep));

    AUTO(shrunk_free) struct shrunk small = {.spec = *spec};
    for (uint32_t g = 0; g < full->n_groups; g++) {
        small.spec.hidden[g] = 0;
        for (uint32_t u = 0; u < full->group_units[g]; u++)
            small.spec.hidden[g] += layout_unit_alive(full, &units, g, u);
    }
    TRY(layout_of(&small.layout, &small.spec));
    TRY(bits_new(&small.kept, small.layout.n));
    small.index = calloc(small.layout.n, sizeof *small.index);
    if (small.index == NULL) return STATUS_NOMEM;
    gather(&small, full, &units, keep);
    if (bits_count(&small.kept) != bits_count(keep)) return STATUS_RANGE;

    *out = small;
    small = (struct shrunk){0};
    return STATUS_OK;
}

void shrunk_free(struct shrunk *shrunk)
{
    free(shrunk->index);
    bits_free(&shrunk->kept);
    *shrunk = (struct shrunk){0};
}
