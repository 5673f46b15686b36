/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs of up to 12 sites by definition, for every degree. */
#include "protocol/graph.h"

#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

enum { MEMBERS = 12 };

static struct hash seed_of(uint64_t number)
{
    struct hash_state state;
    hash_start(&state, "test");
    hash_add_u64(&state, number);
    return hash_end(&state);
}

/* A graph over the members in the mask. */
static void open_graph(struct graph *graph, uint32_t mask, uint32_t degree, uint64_t seed)
{
    AUTO(bits_free) struct bits sites = {0};
    CHECK_OK(bits_new(&sites, MEMBERS));
    for (uint32_t v = 0; v < MEMBERS; v++)
        if (mask >> v & 1) bits_set(&sites, v);
    const struct hash hash = seed_of(seed);
    graph_free(graph);
    CHECK_OK(graph_new(graph, &sites, degree, degree > 0 ? &hash : NULL));
}

static void the_order_holds_each_site_once(const struct graph *graph, uint32_t mask)
{
    uint32_t seen = 0;
    for (uint32_t i = 0; i < graph->n; i++) {
        seen |= 1u << graph->order[i];
        CHECK_NUMBER(i, graph->place[graph->order[i]]);
    }
    CHECK_NUMBER(mask, seen);
    for (uint32_t v = 0; v < MEMBERS; v++)
        if ((mask >> v & 1) == 0) CHECK_NUMBER(GRAPH_NONE, graph->place[v]);
}

/* By definition: at most degree / 2 places apart, in one direction or the other. */
static bool joined(const struct graph *graph, uint32_t u, uint32_t v)
{
    if (u == v || graph->place[u] == GRAPH_NONE || graph->place[v] == GRAPH_NONE) return false;
    if (graph->degree == 0) return true;
    for (uint32_t step = 1; step <= graph->degree / 2; step++)
        if ((graph->place[u] + step) % graph->n == graph->place[v] ||
            (graph->place[v] + step) % graph->n == graph->place[u])
            return true;
    return false;
}

static void links_and_holders_are_those_of_the_definition(const struct graph *graph)
{
    for (uint32_t u = 0; u < MEMBERS; u++) {
        uint32_t held = 0;
        for (uint32_t v = 0; v < MEMBERS; v++) {
            CHECK(graph_linked(graph, u, v) == joined(graph, u, v));
            CHECK(graph_linked(graph, u, v) == graph_linked(graph, v, u));
            const uint32_t i = graph_holder_number(graph, u, v);
            const bool self = u == v && graph->degree == 0 && graph->place[u] != GRAPH_NONE;
            CHECK((i != GRAPH_NONE) == (self || joined(graph, u, v)));
            CHECK((i != GRAPH_NONE) == (graph_holder_number(graph, v, u) != GRAPH_NONE));
            if (i == GRAPH_NONE) continue;
            CHECK_NUMBER(v, graph_holder(graph, u, i));
            held++;
        }
        CHECK_NUMBER(graph->place[u] == GRAPH_NONE ? 0 : graph_holders(graph), held);
    }
}

static void every_small_graph_is_that_of_the_definition(void)
{
    AUTO(graph_free) struct graph graph = {0};
    for (uint32_t mask = 1; mask < 1u << MEMBERS; mask += mask % 7 + 1)
        for (uint32_t degree = 0; degree <= MEMBERS; degree += 2) {
            open_graph(&graph, mask, degree, mask);
            const uint32_t n = (uint32_t)__builtin_popcount(mask);
            CHECK(graph.n == n && graph.degree == (degree < n ? degree : 0));
            CHECK_NUMBER(graph.degree > 0 ? degree : n, graph_holders(&graph));
            the_order_holds_each_site_once(&graph, mask);
            links_and_holders_are_those_of_the_definition(&graph);
        }
}

static void a_complete_graph_joins_all_pairs_in_order_of_their_numbers(void)
{
    AUTO(graph_free) struct graph graph = {0};
    open_graph(&graph, 0xb5b, 0, 0);
    uint32_t last = 0;
    for (uint32_t i = 0; i < graph.n; i++) {
        const uint32_t v = graph_holder(&graph, 0, i);
        CHECK(i == 0 || v > last);
        last = v;
        for (uint32_t j = 0; j < graph.n; j++)
            CHECK(graph_linked(&graph, v, graph.order[j]) == (i != j));
    }
    CHECK(!graph_linked(&graph, 0, MEMBERS) && !graph_linked(&graph, UINT32_MAX, 0));
}

static void holders_of_a_ring_go_from_the_farthest_before_to_the_farthest_after(void)
{
    AUTO(graph_free) struct graph graph = {0};
    open_graph(&graph, 0xfff, 4, 3);
    const uint32_t *order = graph.order;
    CHECK_NUMBER(order[10], graph_holder(&graph, order[0], 0));
    CHECK_NUMBER(order[11], graph_holder(&graph, order[0], 1));
    CHECK_NUMBER(order[1], graph_holder(&graph, order[0], 2));
    CHECK_NUMBER(order[2], graph_holder(&graph, order[0], 3));
    CHECK_NUMBER(GRAPH_NONE, graph_holder_number(&graph, order[0], order[0]));
}

/* Sorted by hash of seed and number, which anyone can compute; who else is there changes nothing
 * about the order of two. */
static void the_order_follows_from_the_seed_alone(void)
{
    AUTO(graph_free) struct graph all = {0}, some = {0}, other = {0};
    open_graph(&all, 0xfff, 2, 1);
    open_graph(&some, 0xdb7, 4, 1);
    open_graph(&other, 0xfff, 2, 2);
    const struct hash seed = seed_of(1);
    struct hash before = {0};
    for (uint32_t i = 0, j = 0; i < all.n; i++) {
        struct hash_state state;
        hash_start(&state, "place");
        hash_add(&state, seed.bytes, HASH_BYTES);
        hash_add_u64(&state, all.order[i]);
        const struct hash place = hash_end(&state);
        CHECK(memcmp(before.bytes, place.bytes, HASH_BYTES) < 0);
        before = place;
        if (some.place[all.order[i]] != GRAPH_NONE) CHECK_NUMBER(all.order[i], some.order[j++]);
    }
    CHECK(memcmp(all.order, other.order, all.n * sizeof *all.order) != 0);
}

/* Fixed seeds. Null hypothesis: each of 12 sites is equally likely at each place. Chi-square with
 * 11 * 11 degrees of freedom is above 207 with probability below 2e-6. */
static void every_site_is_everywhere_equally_often(void)
{
    enum { SEEDS = 2400 };
    static double count[MEMBERS][MEMBERS];
    AUTO(graph_free) struct graph graph = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        open_graph(&graph, 0xfff, 2, seed);
        for (uint32_t v = 0; v < MEMBERS; v++) count[v][graph.place[v]]++;
    }
    const double mean = (double)SEEDS / MEMBERS;
    double chi = 0;
    for (uint32_t v = 0; v < MEMBERS; v++)
        for (uint32_t i = 0; i < MEMBERS; i++)
            chi += (count[v][i] - mean) * (count[v][i] - mean) / mean;
    CHECK(chi < 207);
}

static void nobody_and_odd_degrees_are_refused(void)
{
    AUTO(bits_free) struct bits sites = {0};
    CHECK_OK(bits_new(&sites, MEMBERS));
    const struct hash seed = seed_of(1);
    struct graph graph = {0};
    CHECK_STATUS(STATUS_RANGE, graph_new(&graph, &sites, 0, NULL));
    bits_fill(&sites);
    CHECK_STATUS(STATUS_RANGE, graph_new(&graph, &sites, 3, &seed));
    CHECK_STATUS(STATUS_RANGE, graph_new(&graph, &sites, MEMBERS + 1, &seed));
    CHECK(graph.n == 0 && graph.order == NULL && graph.place == NULL);
}

static void memory_may_end_anywhere(void)
{
    AUTO(bits_free) struct bits sites = {0};
    CHECK_OK(bits_new(&sites, MEMBERS));
    bits_fill(&sites);
    const struct hash seed = seed_of(1);
    int failures = 0;
    OOM_EACH {
        AUTO(graph_free) struct graph graph = {0};
        enum status status = graph_new(&graph, &sites, 4, &seed);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((graph.order == NULL) == (status != STATUS_OK));
        failures += status != STATUS_OK;
    }
    CHECK_NUMBER(3, failures);
}

int main(void)
{
    RUN(every_small_graph_is_that_of_the_definition);
    RUN(a_complete_graph_joins_all_pairs_in_order_of_their_numbers);
    RUN(holders_of_a_ring_go_from_the_farthest_before_to_the_farthest_after);
    RUN(the_order_follows_from_the_seed_alone);
    RUN(every_site_is_everywhere_equally_often);
    RUN(nobody_and_odd_degrees_are_refused);
    RUN(memory_may_end_anywhere);
    return check_done();
}
