/* SPDX-License-Identifier: Apache-2.0 */
/* Whole rounds in one process, without transport, and what each step cost each party.
 *
 * All sites run the shipping state machine and all messages are real, but for the vectors: only the
 * first site grows all its pads, and is timed; of the others' pads, those that would cancel in the
 * sum are left out on both ends, so that a thousand sites fit one machine. The sums are checked.
 * Site figures are means over all sites, except input and noise: those of the first. */
#ifndef BENCHMARKS_WORLD_H
#define BENCHMARKS_WORLD_H

#include "aggregator/round.h"
#include "client/session.h"
#include "crypto/keyfile.h"

struct setting {
    uint32_t n, c;
    bool ring;
    uint64_t d;
    uint32_t lost; /* per cent, after they dealt their shares */
    enum mask_cipher cipher;
    unsigned bits;
    double site_goal_ms, server_goal_ms, opening_goal_ms; /* 0: none */
};

enum step_of {
    AT_PLAN,
    AT_ROSTER,
    AT_POSITIONS,
    AT_INBOX,
    AT_NOISE,
    AT_INPUT,
    AT_SURVIVORS,
    AT_QUORUM,
    AT_RESULT,
    AT_COUNT
};

struct world {
    struct setting set;
    struct rng rng;
    struct manifest manifest;
    struct keyfile coordinator, *key;
    struct session *session;
    struct round round;
    uint64_t now_ms, up, down; /* bytes of the first site */
    double site_ms[AT_COUNT], server_ms[PHASE_COUNT];
    uint32_t *sum; /* of what survivors put in */
    uint64_t pads; /* of the first site, and of the coordinator */
    uint64_t taken_pads;
};

void world_open(struct world *w, const struct setting *set);
void world_close(struct world *w);

/* Play one round. Stops the program when something fails or the sum is wrong. */
void world_run(struct world *w);

/* How the round's pads are grown. */
struct mask_how world_how(const struct world *w);

#endif
