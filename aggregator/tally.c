/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/tally.h"

enum status tally_add(struct total *total, const struct masked *in)
{
    if (total->n != in->n) return STATUS_RANGE;
    for (size_t i = 0; i < in->n; i++) total->value[i] += in->value[i];
    return STATUS_OK;
}
