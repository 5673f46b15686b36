/* SPDX-License-Identifier: Apache-2.0 */
/* Which coordinates a set of units keeps: for layout*.c alone. */
#ifndef PROTOCOL_LAYOUT_ALIVE_H
#define PROTOCOL_LAYOUT_ALIVE_H

#include "protocol/layout.h"

/* Whether units have this one; group LAYOUT_NONE: what is never pruned. */
bool layout_unit_alive(const struct layout *layout, const struct bits *units, uint32_t group,
                       uint32_t unit);
/* Whether the units of its row and its column are alive. */
bool layout_coordinate_alive(const struct layout *layout, const struct bits *units,
                             const struct tensor *tensor, uint32_t row, uint32_t col);

#endif
