/* SPDX-License-Identifier: Apache-2.0 */
/* A coordinator of two faces: it tells some sites that the victim survived and others that it
 * dropped, collects what both confirm, and keeps what it is given. One site colludes and confirms
 * whatever it is asked to. */
#ifndef TESTS_ATTACK_SPLIT_H
#define TESTS_ATTACK_SPLIT_H

#include "tests/lib/forge.h"

#define SPLIT_VICTIM 3
#define SPLIT_TRAITOR 4

/* The two statements, and which honest sites are told the second. */
struct split {
    uint32_t told_second; /* set of sites */
    struct buffer second[ARENA_SITES_MAX];
    struct hash first_hash, second_hash;
    /* What came back. */
    bool confirmed[2][ARENA_SITES_MAX];
    struct confirm confirm[2][ARENA_SITES_MAX];
    size_t pair_shares, self_shares;               /* of the victim, by honest sites */
    size_t noise_shares[1 + XNOISE_REMOVABLE_MAX]; /* of site 0, for each part */
};
void split_free(struct split *split);

/* An arena_filter whose context is a struct split: the coordinator of this scene tells what it
 * likes, keeps what it gets, answers nothing. */
bool split_views_of(struct arena *a, struct flight *flight);

/* All confirmations of one statement that the coordinator got, the traitor's among them; returns
 * how many. */
uint32_t split_quorum(struct arena *a, struct split *split, bool second, struct buffer *out);

#endif
