/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/params.h"

#include "base/status.h"

uint32_t params_threshold(uint32_t n, uint32_t c)
{
    return (uint32_t)(((uint64_t)n + c) / 2 + 1);
}

bool params_sound(const struct params *params)
{
    if (params->n == 0 || params->n > PARAMS_SITES_MAX || params->c >= params->n) return false;
    uint32_t least = params_threshold(params->n, params->c);
    return params->t >= least && params->t <= params->n && params->quorum >= least &&
           params->quorum <= params->n && params->m >= 1 && params->m <= params->n &&
           params->m + params->c <= params->quorum;
}

uint32_t params_honest(const struct params *params)
{
    REQUIRE(params_sound(params));
    return params->quorum - params->c;
}
