/* SPDX-License-Identifier: Apache-2.0 */
/* The transcript audit: what the parties of a study kept, read from files and compared. No keys but
 * the public ones of the manifest, no network, no clock. Private to audit_verify.c and verify*.c.
 */
#ifndef LAB_VERIFY_H
#define LAB_VERIFY_H

#include <jansson.h>

#include "client/session.h"
#include "protocol/evidence.h"
#include "protocol/schedule.h"
#include "protocol/trail_round.h"

/* In the order in which they are told. */
enum check {
    CHECK_SIGNATURES,
    CHECK_PARTIES,
    CHECK_PLANS,
    CHECK_GRID,
    CHECK_QUORUM,
    CHECK_ONCE,
    CHECK_NOISE,
    CHECK_BYTES,
    CHECK_HEADS,
    CHECK_EPSILON,
    CHECK_COUNT
};

struct looked {
    uint32_t faults;
    bool open;      /* what it compares was not given */
    char what[400]; /* the first fault, or what holds */
    json_t *counts; /* owned */
};

/* What a site's trail has of one round. */
struct kept {
    uint32_t round;
    uint64_t entry; /* number of its first entry */
    uint8_t session[MSG_SESSION_BYTES];
    struct view plan, claim; /* signed plan; what it confirmed (claim_read); borrowed */
    struct result result;
    struct hash plan_hash, digest, survivors, released, transcript;
    bool sent, confirmed, let_out, ended;
    bool over;                     /* its end is in the trail, after it nothing of it */
    uint32_t bytes[TRAIL_LETTERS]; /* of its messages */
};

/* One party, as its folder or file has it. */
struct party {
    const char *path; /* borrowed */
    const char *name; /* its member's; borrowed from manifest */
    bool leads;       /* the coordinator; else */
    uint32_t member;  /* number of the site */
    bool secrets;     /* its folder holds keys */
    struct buffer bytes;
    struct evidence evidence;
    struct manifest manifest;
    struct hash hash; /* of the manifest */
    struct ledger ledger;
    size_t study;      /* in the ledger's books; n_studies: none */
    struct hash *head; /* of the ledger after n entries; owned */
    size_t n_led, n_kept, n_followed;
    struct trail_round *led; /* of the coordinator; owned */
    size_t n_over;           /* of them that ended; all but the last have */
    struct kept *kept;       /* of a site; owned */
    struct hash *followed;   /* transcripts that it caught up with; owned */
};

/* One round, as all that was given has it. */
struct fact {
    uint32_t round;
    const struct party *from;      /* whose entry the plan is from */
    const struct trail_round *led; /* NULL: not the coordinator's */
    struct plan plan;
    struct hash plan_hash;
    bool claimed, opened;
    struct survivors claim;
    struct hash survivors; /* survivors_hash */
    struct result result;
    struct hash transcript;
};

struct verify {
    size_t n;
    struct party *party;
    struct party *leader; /* NULL: not given */
    struct study study;
    struct layout layout;
    struct schedule schedule;
    size_t n_facts;
    struct fact *fact; /* by round */
    struct looked found[CHECK_COUNT];
    bool whole;                      /* everybody who had a part was given */
    double epsilon_rdp, epsilon_pld; /* the largest of all ledgers */
};

void verify_free(struct verify *verify);

/* Note that something does not hold: of a party (NULL: of none), a round (0: of none). */
void verify_fault(struct verify *verify, enum check check, const struct party *party,
                  uint32_t round, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Say what holds, unless there was a fault. counts is taken over. */
void verify_holds(struct verify *verify, enum check check, json_t *counts, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Say what could not be looked at. */
void verify_open(struct verify *verify, enum check check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Read a folder or a file into the next of verify's parties, and check all signatures and chains in
 * it. What does not hold is a fault.
 * STATUS_IO  there is no such thing. STATUS_NOMEM. */
MUST_USE enum status verify_party(struct verify *verify, const char *path);

/* All checks of what was read, in their order: later ones look at what earlier ones have found to
 * be true, and are open where that is not so. pin: of the manifest, or NULL. STATUS_NOMEM. */
MUST_USE enum status verify_all(struct verify *verify, const char *pin);
/* Whether there is any fault. */
bool verify_failed(const struct verify *verify);

/* Rounds out of the trails (verify_rounds.c); only if nothing failed before. STATUS_NOMEM. */
MUST_USE enum status verify_rounds(struct verify *verify);
/* What a site kept of a round, or NULL. */
const struct kept *verify_kept(const struct party *party, uint32_t round);
const struct fact *verify_fact(const struct verify *verify, uint32_t round);

/* One check each. STATUS_NOMEM. */
MUST_USE enum status verify_parties(struct verify *verify);
void verify_plans(struct verify *verify);
MUST_USE enum status verify_grid(struct verify *verify);
MUST_USE enum status verify_quorum(struct verify *verify);
void verify_once(struct verify *verify);
void verify_noise(struct verify *verify);
void verify_bytes(struct verify *verify);
void verify_heads(struct verify *verify);
MUST_USE enum status verify_epsilon(struct verify *verify);

#endif
