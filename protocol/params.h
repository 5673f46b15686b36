/* SPDX-License-Identifier: Apache-2.0 */
/* Public settings of a round, and whether they fit together. */
#ifndef PROTOCOL_PARAMS_H
#define PROTOCOL_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

#define PARAMS_SITES_MAX 2048
/* A study of more sites shares along a ring. */
#define PARAMS_COMPLETE_MAX 512
/* So many sites may keep silent about their position on the ring (SPEC.md, "positions"). */
#define PARAMS_SILENT_MAX 2
/* Rounds that a study along a ring may begin. */
#define PARAMS_RING_ROUNDS (1u << PARAMS_RING_ROUNDS_BITS)
#define PARAMS_RING_ROUNDS_BITS 17

struct params {
    uint32_t n;      /* sites that may take part */
    uint32_t c;      /* of them may collude with the server, at most */
    uint32_t t;      /* shares that rebuild a secret */
    uint32_t quorum; /* T: confirmations of one survivor set, and least survivors */
    uint32_t k;      /* neighbours of a site on the ring, even; 0: complete graph */
    uint32_t m;      /* honest contributors that each opened sum must have, at least */
};

/* Smallest sound threshold for a complete graph and a malicious server: floor((n + c) / 2) + 1.
 * Above (n + c) / 2, two quorums share an honest site, and no peer can be asked for both kinds of
 * shares (SPEC.md, "thresholds"). */
uint32_t params_threshold(uint32_t n, uint32_t c);

/* Whether T is above (n + c) / 2 and at most n, c < T, m >= 1 and m + c <= T; and t likewise in a
 * complete graph, or k and t fit n, c and n - T dropouts (params_ring). */
bool params_sound(const struct params *params);

/* Degree and threshold of the ring for n sites, c corrupt, quorum T: whatever sites come, T to n of
 * them. The security level allows for what the coordinator can choose: which positions it leaves
 * out, and 2^17 rounds.
 * STATUS_RANGE  no ring is thin enough: more confirmations are needed, or a complete graph. */
MUST_USE enum status params_ring(uint32_t *k, uint32_t *t, uint32_t n, uint32_t c, uint32_t quorum);

/* The smallest T for which there is a ring; 0 when there is none. */
uint32_t params_ring_quorum(uint32_t n, uint32_t c);

/* Degree of the pads inside a segment of so many members: 0 (complete) up to PARAMS_COMPLETE_MAX
 * and in a study with a complete graph; else the smallest with which the honest survivors stay
 * connected although n - T sites that the coordinator picks and c corrupt ones are gone from it; 0
 * when no ring does. So what opens has the noise of all of them (params_honest). */
uint32_t params_segment_degree(const struct params *params, uint32_t members);

/* Honest survivors that every opened sum has: T - c. Noise shares are scaled to it. */
uint32_t params_honest(const struct params *params);

#endif
