/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/layout_parts.h"

#include <stdio.h>
#include <string.h>

void layout_open(struct layout *layout, const char *name, uint32_t number)
{
    REQUIRE(layout->n_segments < LAYOUT_SEGMENTS_MAX);
    char *at = layout->segment[layout->n_segments++];
    int bytes = number == 0 ? snprintf(at, LAYOUT_NAME_MAX + 1, "%s", name)
                            : snprintf(at, LAYOUT_NAME_MAX + 1, "%s%u", name, (unsigned)number);
    REQUIRE(bytes > 0 && bytes <= LAYOUT_NAME_MAX);
}

bool layout_append(struct layout *layout, const char *name, uint64_t rows, uint64_t cols,
                   enum tensor_role role)
{
    uint64_t size = 1;
    if (!layout_grow(&size, rows) || !layout_grow(&size, cols) ||
        size > LAYOUT_COORDINATES_MAX - layout->n)
        return false;

    REQUIRE(layout->n_tensors < LAYOUT_TENSORS_MAX);
    struct tensor *tensor = &layout->tensor[layout->n_tensors++];
    *tensor = (struct tensor){.rows = (uint32_t)rows,
                              .cols = (uint32_t)cols,
                              .segment = layout->n_segments - 1,
                              .group = LAYOUT_NONE,
                              .feed = LAYOUT_NONE,
                              .block = 1,
                              .role = role,
                              .offset = layout->n};
    const char *segment = layout->segment[tensor->segment];
    REQUIRE(strlen(segment) + strlen(name) < LAYOUT_NAME_MAX);
    stpcpy(stpcpy(stpcpy(tensor->name, segment), "."), name);
    layout->n += size;
    return true;
}
