/* SPDX-License-Identifier: Apache-2.0 */
/* A small world for protocol tests: n sessions and a round in one process, an adversary who holds
 * every letter between them. Time is a number; randomness is seeded. The letters of the coordinator
 * are put in flight when a phase begins, and for one site when it reports in. */
#ifndef TESTS_LIB_ARENA_H
#define TESTS_LIB_ARENA_H

#include "aggregator/round.h"
#include "client/session.h"

#define ARENA_SITES_MAX 1024

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

/* Told of each input that had an effect on the round: a message that was taken, a site that is gone
 * (message empty), a deadline (message empty, from OUTBOX_SERVER). */
typedef void arena_round_spy(struct arena *arena, uint32_t from, struct view message);

struct arena {
    uint32_t n;
    struct rng rng;
    struct manifest manifest;
    struct keyfile coordinator, governor;
    /* One per site. */
    struct keyfile *key;
    struct session *session;
    bool *dead;       /* takes and sends nothing */
    uint32_t **input; /* what each site put in, all segments concatenated; of noise that can be
                       * taken away again the part that stays in any case */
    uint8_t (*noise_seed)[SHARE_BYTES]; /* of the others, as they were when it put them in */
    bool *has_input;
    enum reason *last_refusal; /* that the site gave */
    enum reason *blamed;       /* what the round noted about the site */
    enum status *answer;       /* of the round to the site's last letter */

    struct round round;
    enum phase told;  /* the phase whose letters are posted */
    struct plan plan; /* template: copied by arena_begin */
    /* Of the rounds before that gave a sum: each opening has all their results. */
    struct hash transcript;
    uint32_t n_results;
    struct buffer results;
    uint64_t now_ms;
    size_t n_flights;
    struct flight *flight;
    arena_filter *filter;
    arena_spy *spy;
    arena_pad_spy *pad_spy;
    arena_round_spy *round_spy;
    void *context; /* of the filter and the spies */
    bool shuffle;  /* deliver in random order instead of first come first served */
    struct memory memory[256];
    uint32_t memory_site[256];
    size_t n_memories;
    bool starve; /* the machines' allocations count for oom.h, the arena's own do not */
};

/* n sites, c colluding, default thresholds, `segments` segments of dims `dim[]`, members[l] a bit
 * mask of sites (NULL: all), minimum m. Everything is owned by the arena. Stops the program when it
 * fails. */
void arena_open(struct arena *a, uint32_t n, uint32_t c, uint32_t m, uint32_t segments,
                const uint64_t *dim, const uint32_t *members, unsigned bits, uint64_t seed);
void arena_close(struct arena *a);

/* After arena_open, which makes a complete graph: share along a ring, with a quorum that leaves few
 * enough dropouts for one. Pads of all segments run along rings of the same degree. */
void arena_ring(struct arena *a, uint32_t quorum);

/* After arena_open, where all are members of all segments: sites add noise that is taken away again
 * when more than the fewest survive. sigma is that of a whole share. */
void arena_noise(struct arena *a, uint32_t sigma);

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
/* The coordinator lost a site. */
void arena_gone(struct arena *a, uint32_t site);
/* A site reports in, as at each new connection: the coordinator's present letter to it is put in
 * flight once more when it is in the round, and the opening while the round can be joined. */
void arena_greet(struct arena *a, uint32_t site);

/* Put a letter in flight by hand; bytes is moved. */
void arena_post(struct arena *a, uint32_t from, uint32_t to, struct buffer *bytes);
/* Put a copy of the letter in flight. */
void arena_repeat(struct arena *a, const struct flight *flight);

/* Whether every opened segment is exactly the sum of the survivors' inputs with the noise that
 * these survivors are to keep, and every other one stayed sealed. */
bool arena_sums_exact(const struct arena *a);

/* Of a site's noise, which it is about to put in, what stays in any case; its seed is noted. */
void arena_noise_stays(struct arena *a, uint32_t v, const struct noise *noise, struct noise *out);
/* What the survivors are to keep beyond that, added up. */
void arena_noise_kept(const struct arena *a, struct noise *out);

/* The opening of the current round for a site. */
void arena_opening(struct arena *a, struct buffer *out);

#endif
