/* SPDX-License-Identifier: Apache-2.0 */
/* A small world for protocol tests: n sessions and a round in one process, an adversary who holds
 * every letter between them. Time is a number; randomness is seeded. */
#ifndef TESTS_LIB_ARENA_H
#define TESTS_LIB_ARENA_H

#include "aggregator/round.h"
#include "client/session.h"

#define ARENA_SITES_MAX 12

struct arena;

struct flight {
    uint32_t from, to; /* site numbers, or OUTBOX_SERVER */
    struct buffer bytes;
};

/* Asked for each letter before it is delivered: false loses it. May change it. */
typedef bool arena_filter(struct arena *arena, struct flight *flight);

/* Told of each letter that a machine posts, and of the pads that a site puts on a segment. */
typedef void arena_spy(struct arena *arena, const struct flight *letter);
typedef void arena_pad_spy(struct arena *arena, uint32_t site, uint32_t segment,
                           const struct pad *pad, size_t n);

struct arena {
    uint32_t n;
    struct rng rng;
    struct manifest manifest;
    struct keyfile coordinator, key[ARENA_SITES_MAX], governor;
    struct session session[ARENA_SITES_MAX];
    bool dead[ARENA_SITES_MAX]; /* takes and sends nothing */
    struct round round;
    struct plan plan; /* template: copied by arena_begin */
    uint64_t now_ms;
    size_t n_flights;
    struct flight *flight;
    uint32_t *input[ARENA_SITES_MAX]; /* what each site put in, all segments concatenated */
    bool has_input[ARENA_SITES_MAX];
    arena_filter *filter;
    arena_spy *spy;
    arena_pad_spy *pad_spy;
    void *context; /* of the filter and the spies */
    bool shuffle;  /* deliver in random order instead of first come first served */
    struct memory memory[256];
    uint32_t memory_site[256];
    size_t n_memories;
    enum reason last_refusal[ARENA_SITES_MAX]; /* that the site gave */
    enum reason blamed[ARENA_SITES_MAX];       /* what the round noted about the site */
    enum status answer[ARENA_SITES_MAX];       /* of the round to the site's last letter */
    bool starve; /* the machines' allocations count for oom.h, the arena's own do not */
};

/* n sites, c colluding, default thresholds, `segments` segments of dims `dim[]`, members[l] a bit
 * mask of sites, minimum m. Everything is owned by the arena. Stops the program when it fails. */
void arena_open(struct arena *a, uint32_t n, uint32_t c, uint32_t m, uint32_t segments,
                const uint64_t *dim, const uint32_t *members, unsigned bits, uint64_t seed);
void arena_close(struct arena *a);

/* Start a round with the template plan (fresh session and round number) and put the openings in
 * flight. */
void arena_begin(struct arena *a);
/* Deliver letters until none is in flight; sites that want input give random vectors. */
void arena_deliver(struct arena *a);
/* Deliver one letter (in random order when shuffle is set); false when none is in flight. */
bool arena_step(struct arena *a);
/* Deliver, and let deadlines pass, until the round is over. */
void arena_run(struct arena *a);
/* Advance time to the next deadline of the round and of the sessions, and apply it. */
void arena_wait(struct arena *a);

/* Deliver letter number i alone, whatever the filter thinks; or lose it. */
void arena_deliver_one(struct arena *a, size_t i);
void arena_lose_one(struct arena *a, size_t i);
/* Tell one party, a site or OUTBOX_SERVER, what time it is. */
void arena_deadline(struct arena *a, uint32_t party);

/* Put a letter in flight by hand; bytes is moved. */
void arena_post(struct arena *a, uint32_t from, uint32_t to, struct buffer *bytes);
/* Put a copy of the letter in flight. */
void arena_repeat(struct arena *a, const struct flight *flight);

/* Whether every opened segment is exactly the sum of the survivors' inputs, and every other one
 * stayed sealed. */
bool arena_sums_exact(const struct arena *a);

/* The opening of the current round for a site. */
void arena_opening(struct arena *a, struct buffer *out);

#endif
