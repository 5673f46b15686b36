/* SPDX-License-Identifier: Apache-2.0 */
/* Who shares with whom, and which pairs have pads: a complete graph, or a ring in which each site
 * is joined to the degree / 2 nearest on both sides. The order on the ring follows from a hash that
 * nobody chose (SPEC.md, "positions"). Bell et al. 2020, section 3.2. */
#ifndef PROTOCOL_GRAPH_H
#define PROTOCOL_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/status.h"
#include "crypto/hash.h"

#define GRAPH_NONE UINT32_MAX

struct graph {
    uint32_t n;       /* sites in it */
    uint32_t degree;  /* even, below n; 0: complete */
    uint32_t *order;  /* n: site at each place of the ring; ascending when complete; owned */
    uint32_t *place;  /* one per manifest member: its place, or GRAPH_NONE; owned */
    uint32_t members; /* of the manifest */
};

/* A graph over the sites that are set. degree 0 makes it complete, and so does one of at least the
 * number of sites. seed orders the ring; it may be NULL for a complete graph.
 * STATUS_RANGE  no site, or an odd degree. STATUS_NOMEM. out is untouched on failure. */
MUST_USE enum status graph_new(struct graph *out, const struct bits *sites, uint32_t degree,
                               const struct hash *seed);
void graph_free(struct graph *graph);

/* Whether two different sites of it are joined; false when one is not in it. */
bool graph_linked(const struct graph *graph, uint32_t u, uint32_t v);

/* Sites that hold a share of what u deals: in a complete graph all, u included; on a ring its
 * neighbours alone, from the farthest before it to the farthest after it. */
uint32_t graph_holders(const struct graph *graph);
/* Holder number i of u, i < graph_holders. u is in the graph. */
uint32_t graph_holder(const struct graph *graph, uint32_t u, uint32_t i);
/* Which holder of u is v: its number, or GRAPH_NONE. Who holds for whom is mutual. */
uint32_t graph_holder_number(const struct graph *graph, uint32_t u, uint32_t v);

#endif
