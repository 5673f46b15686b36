/* SPDX-License-Identifier: Apache-2.0 */
/* Public settings of a round, and whether they fit together. */
#ifndef PROTOCOL_PARAMS_H
#define PROTOCOL_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

/* Complete graph: every site shares with every site. */
#define PARAMS_SITES_MAX 512

/* How pads are grown (crypto/mask.h). */
enum cipher { CIPHER_CHACHA20, CIPHER_COUNT };

struct params {
    uint32_t n;      /* sites that may take part */
    uint32_t c;      /* of them may collude with the server, at most */
    uint32_t t;      /* shares that rebuild a secret */
    uint32_t quorum; /* T: confirmations of one survivor set, and least survivors */
    uint32_t m;      /* honest contributors that each opened sum must have, at least */
};

/* Smallest sound threshold for a complete graph and a malicious server: floor((n + c) / 2) + 1.
 * Above (n + c) / 2, two quorums share an honest site, and no peer can be asked for both kinds of
 * shares (SPEC.md, "thresholds"). */
uint32_t params_threshold(uint32_t n, uint32_t c);

/* Whether t and T are above (n + c) / 2 and at most n, c < T, m >= 1 and m + c <= T. */
bool params_sound(const struct params *params);

/* Honest survivors that every opened sum has: T - c. Noise shares are scaled to it. */
uint32_t params_honest(const struct params *params);

#endif
