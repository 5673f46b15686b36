/* SPDX-License-Identifier: Apache-2.0 */
/* What the parties of a small study keep of three rounds, made up: each piece can be another before
 * it is signed, and what was made can be changed before it is chained. Four sites, nobody
 * colludes, T = 3. Stops the program when it fails. */
#ifndef TESTS_UNIT_LAB_ANNALS_H
#define TESTS_UNIT_LAB_ANNALS_H

#include "client/session.h"
#include "protocol/ledger.h"
#include "protocol/schedule.h"
#include "protocol/trail_round.h"

enum {
    ANNALS_SITES = 4,
    ANNALS_ROUNDS = 3,
    ANNALS_LEADER = ANNALS_SITES, /* the coordinator, after the sites */
    ANNALS_PARTIES,
    ANNALS_LINES_MAX = 64
};

struct annals_line {
    enum trail_kind kind;
    uint32_t round;
    struct buffer body; /* owned */
    size_t n_ledger;    /* entries of its party's ledger at that time */
};

struct annals_party {
    struct keyfile key;
    const uint8_t *teller; /* signs its ledger; its own seed */
    size_t n_trail, n_ledger;
    size_t n_cut; /* so many entries of its ledger are not in its file any more */
    struct annals_line trail[ANNALS_LINES_MAX];
    struct ledger_entry ledger[ANNALS_LINES_MAX];
};

struct annals {
    struct study study;
    struct layout layout;
    struct schedule schedule;
    struct manifest manifest;
    struct keyfile governor;
    struct annals_party party[ANNALS_PARTIES];

    /* Of each round: why it failed after the inputs came, before anybody confirmed. */
    enum reason why[ANNALS_ROUNDS];
    /* So many of its first coordinates it does not keep. */
    uint32_t pruned[ANNALS_ROUNDS];
    /* Asked before it is signed; NULL: it is as it should be. */
    void (*on_plan)(struct plan *plan);
    void (*on_round)(struct trail_round *round);
    void (*on_result)(struct result *result);
    struct hash transcript;
};

/* Keys, manifest and study; settings, as YAML, take the place of the study's own. */
void annals_open(struct annals *a, const char *settings);
void annals_close(struct annals *a);

/* Make what the parties keep. */
void annals_make(struct annals *a);

/* Take a line out of a party's trail, or an entry out of its ledger. */
void annals_drop(struct annals_party *p, size_t line);
void annals_drop_ledger(struct annals_party *p, size_t entry);
/* The place of a party's n-th line of a kind in a round, n from 0. */
size_t annals_find(const struct annals_party *p, enum trail_kind kind, uint32_t round, size_t n);
/* The place of its ledger's entry of a kind about a round (0: about none). */
size_t annals_find_ledger(const struct annals_party *p, enum ledger_kind kind, uint32_t round);

/* Chain and sign what a party keeps: a file that an auditor is given, appended. */
void annals_write(struct buffer *out, const struct annals *a, uint32_t party);

#endif
