/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/graph.h"

#include <stdlib.h>
#include <string.h>

void graph_free(struct graph *graph)
{
    free(graph->order);
    free(graph->place);
    *graph = (struct graph){0};
}

struct key {
    struct hash hash;
    uint32_t site;
};

static void key_free(struct key **key)
{
    free(*key);
}

static int key_compare(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    const int order = memcmp(x->hash.bytes, y->hash.bytes, HASH_BYTES);
    return order != 0 ? order : (x->site > y->site) - (x->site < y->site);
}

/* Sort the sites by the hash of their number under the seed. */
static enum status shuffle(struct graph *graph, const struct hash *seed)
{
    AUTO(key_free) struct key *key = calloc(graph->n, sizeof *key);
    if (key == NULL) return STATUS_NOMEM;
    for (uint32_t i = 0; i < graph->n; i++) {
        struct hash_state state;
        hash_start(&state, "place");
        hash_add(&state, seed->bytes, HASH_BYTES);
        hash_add_u64(&state, graph->order[i]);
        key[i] = (struct key){.hash = hash_end(&state), .site = graph->order[i]};
    }
    qsort(key, graph->n, sizeof *key, key_compare);
    for (uint32_t i = 0; i < graph->n; i++) graph->order[i] = key[i].site;
    return STATUS_OK;
}

enum status graph_new(struct graph *out, const struct bits *sites, uint32_t degree,
                      const struct hash *seed)
{
    const uint32_t n = (uint32_t)bits_count(sites);
    if (n == 0 || degree % 2 != 0) return STATUS_RANGE;
    AUTO(graph_free)
    struct graph graph = {.n = n, .degree = degree < n ? degree : 0, .members = (uint32_t)sites->n};
    graph.order = calloc(n, sizeof *graph.order);
    graph.place = calloc(sites->n, sizeof *graph.place);
    if (graph.order == NULL || graph.place == NULL) return STATUS_NOMEM;
    uint32_t place = 0;
    for (uint32_t v = 0; v < graph.members; v++) {
        graph.place[v] = GRAPH_NONE;
        if (bits_has(sites, v)) graph.order[place++] = v;
    }
    if (graph.degree > 0) {
        REQUIRE(seed != NULL);
        TRY(shuffle(&graph, seed));
    }
    for (uint32_t i = 0; i < n; i++) graph.place[graph.order[i]] = i;
    *out = graph;
    graph = (struct graph){0};
    return STATUS_OK;
}

static uint32_t place_of(const struct graph *graph, uint32_t v)
{
    return v < graph->members ? graph->place[v] : GRAPH_NONE;
}

bool graph_linked(const struct graph *graph, uint32_t u, uint32_t v)
{
    return u != v && graph_holder_number(graph, u, v) != GRAPH_NONE;
}

uint32_t graph_holders(const struct graph *graph)
{
    return graph->degree > 0 ? graph->degree : graph->n;
}

uint32_t graph_holder(const struct graph *graph, uint32_t u, uint32_t i)
{
    const uint32_t at = place_of(graph, u), half = graph->degree / 2;
    REQUIRE(at != GRAPH_NONE && i < graph_holders(graph));
    if (graph->degree == 0) return graph->order[i];
    /* half places before it to half after it, itself left out */
    const uint32_t step = i < half ? graph->n - half + i : i - half + 1;
    return graph->order[(at + step) % graph->n];
}

uint32_t graph_holder_number(const struct graph *graph, uint32_t u, uint32_t v)
{
    const uint32_t from = place_of(graph, u), to = place_of(graph, v), half = graph->degree / 2;
    if (from == GRAPH_NONE || to == GRAPH_NONE) return GRAPH_NONE;
    if (graph->degree == 0) return to;
    const uint32_t step = (to + graph->n - from) % graph->n;
    if (step == 0) return GRAPH_NONE;
    if (step <= half) return half + step - 1;
    return step >= graph->n - half ? step - (graph->n - half) : GRAPH_NONE;
}
