/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/params.h"

#include "crypto/share.h"
#include "protocol/degree.h"
#include "protocol/layout.h"

/* Of one round on a ring whose places nobody can choose. */
#define SECRECY_BITS 40
#define RECOVERY_BITS 20
/* Segments with other members have rings of their own. */
#define SEGMENTS_BITS 5
_Static_assert(LAYOUT_SEGMENTS_MAX <= 1 << SEGMENTS_BITS, "more rings than counted");

uint32_t params_threshold(uint32_t n, uint32_t c)
{
    return (uint32_t)(((uint64_t)n + c) / 2 + 1);
}

/* The coordinator sees all positions before it says which sites kept silent about theirs: it can
 * try the ring of each choice. Bits of their number, sum of C(n, i) for i up to the limit. */
static uint32_t choice_bits(uint32_t n)
{
    uint64_t choices = 1, term = 1;
    for (uint64_t i = 1; i <= PARAMS_SILENT_MAX && i <= n; i++) {
        term = term * (n - i + 1) / i;
        choices += term;
    }
    uint32_t bits = 0;
    while (UINT64_C(1) << bits < choices) bits++;
    return bits;
}

static struct degree_goal goal_of(uint32_t n, uint32_t c, uint32_t quorum)
{
    return (struct degree_goal){.n = n,
                                .corrupt = c,
                                .lost = n - quorum,
                                .least = quorum,
                                .secrecy = SECRECY_BITS + PARAMS_RING_ROUNDS_BITS + choice_bits(n),
                                .recovery = RECOVERY_BITS};
}

/* Whether the quorum is sound, whatever the graph. */
static bool quorum_sound(uint32_t n, uint32_t c, uint32_t quorum)
{
    return n >= 1 && n <= PARAMS_SITES_MAX && c < n && quorum >= params_threshold(n, c) &&
           quorum <= n;
}

bool params_sound(const struct params *params)
{
    const uint32_t n = params->n, c = params->c, t = params->t, quorum = params->quorum;
    if (!quorum_sound(n, c, quorum)) return false;
    if (params->m < 1 || params->m > n || params->m + c > quorum) return false;
    if (params->k == 0) return t >= params_threshold(n, c) && t <= n && n <= SHARE_SITES_MAX;
    const struct degree_goal goal = goal_of(n, c, quorum);
    return params->k <= SHARE_SITES_MAX &&
           degree_fits(&(struct degree){.k = params->k, .t = t}, &goal);
}

enum status params_ring(uint32_t *k, uint32_t *t, uint32_t n, uint32_t c, uint32_t quorum)
{
    if (!quorum_sound(n, c, quorum)) return STATUS_RANGE;
    const struct degree_goal goal = goal_of(n, c, quorum);
    struct degree degree = {0};
    TRY(degree_find(&degree, &goal));
    if (degree.k > SHARE_SITES_MAX) return STATUS_RANGE;
    *k = degree.k;
    *t = degree.t;
    return STATUS_OK;
}

uint32_t params_ring_quorum(uint32_t n, uint32_t c)
{
    /* With k fixed, each condition is easier to meet the more sites have to survive: bisect. */
    uint32_t k = 0, t = 0;
    if (params_ring(&k, &t, n, c, n) != STATUS_OK) return 0;
    uint32_t low = params_threshold(n, c), high = n;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (params_ring(&k, &t, n, c, middle) == STATUS_OK)
            high = middle;
        else
            low = middle + 1;
    }
    return high;
}

uint32_t params_segment_degree(const struct params *params, uint32_t members)
{
    if (params->k == 0 || members <= PARAMS_COMPLETE_MAX) return 0;
    struct degree_goal goal = goal_of(params->n, params->c, params->quorum);
    goal.n = members;
    goal.secrecy += SEGMENTS_BITS;
    return degree_connected(&goal);
}

uint32_t params_honest(const struct params *params)
{
    REQUIRE(params_sound(params));
    return params->quorum - params->c;
}
