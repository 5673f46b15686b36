/* SPDX-License-Identifier: Apache-2.0 */
/* The aggregator's state machine of one round of SA1 (protocol/SPEC.md): message in, time passed
 * in; no sockets, no clock, no files. What a site should get in the present phase is asked for with
 * round_letter, as often as needed: after each change of phase, and when a site has lost it.
 *
 * It is deterministic: the same inputs in the same order (messages taken, sites gone, deadlines
 * passed) lead to the same state and the same letters, bit for bit, so that a list of inputs is all
 * that a journal has to hold.
 *
 * A phase ends when every site that it waits for has answered, or at its deadline. STATUS_STATE
 * from round_message means: ignored, nothing changed. Other failures concern the sender alone,
 * except STATUS_NOMEM, which ends the round. The round as a whole fails by going to PHASE_FAILED;
 * round->why says why. */
#ifndef AGGREGATOR_ROUND_H
#define AGGREGATOR_ROUND_H

#include "crypto/merkle.h"
#include "protocol/bundle.h"
#include "protocol/graph.h"
#include "protocol/manifest.h"
#include "protocol/msg.h"
#include "protocol/outbox.h"
#include "protocol/trail_letter.h"

enum phase {
    PHASE_KEYS,      /* waits for adverts */
    PHASE_POSITIONS, /* ring only: waits for positions */
    PHASE_SHARES,    /* waits for dealt shares */
    PHASE_COLLECT,   /* waits for masked inputs */
    PHASE_CONFIRM,   /* waits for confirmations of the survivor set */
    PHASE_REVEAL,    /* waits for shares */
    PHASE_DONE,
    PHASE_FAILED,
    PHASE_COUNT
};

/* What a site dealt out. */
struct dealing {
    struct header header; /* parsed */
    struct hash head;     /* header_hash */
    struct hash *leaf;    /* one per holder; owned */
    /* Until the inputs are in: */
    struct buffer bytes;     /* its SHARES as received */
    struct shares shares;    /* parsed, without the leaves; borrows bytes */
    struct merkle_tree tree; /* over the leaves */
};

/* What the round holds of one site. */
struct contributor {
    bool away;                      /* its connection is lost: not waited for */
    bool out;                       /* gave up, or lied: nothing more is taken from it */
    uint32_t taken[TRAIL_LETTERS];  /* bytes of its answers */
    uint32_t accusers;              /* sites that gave up because of it */
    struct buffer advert;           /* signed bytes */
    struct advert keys;             /* parsed */
    uint8_t nonce[MSG_NONCE_BYTES]; /* of its position; ring only */
    struct dealing dealt;
    struct buffer head; /* its signed digest */
    struct hash digest; /* hash_of it */
    struct confirm confirm;
    /* Shares of its secrets, checked against its leaves, from the first t holders that revealed
     * them; at each of the places that the survivor set asks for. Secret. */
    uint32_t n_places, n_revealed;
    uint32_t *holder;  /* t: holder numbers; owned */
    uint8_t *revealed; /* n_places * t * SHARE_BYTES, place after place; owned, wiped */
};

struct round_config {
    const struct manifest *manifest;
    const uint8_t *identity; /* the coordinator's signing seed; secret; borrowed */
};

struct round {
    struct round_config config;
    enum phase phase;
    uint64_t deadline_ms;
    enum reason why; /* of PHASE_FAILED */
    uint32_t about;  /* whom, or OUTBOX_SERVER */

    struct plan plan;
    struct buffer plan_bytes; /* signed, for the opening */
    struct hash plan_hash, dealers_hash, survivors_hash;
    struct hash roster_hash; /* R; on a ring, once there are positions, their hash */
    struct bits adverts, placed, dealers, survivors, confirmed,
        revealed;                           /* U1, ring, U2, U3, ... */
    struct bits opened_set;                 /* E */
    struct graph graph;                     /* who holds shares of whom, over placed */
    struct graph pads[MSG_SEGMENTS_MAX];    /* whose pads meet, over placed and members */
    struct survivors statement;             /* borrows the sets above; not freed */
    struct merkle_tree digests;             /* of U3 */
    struct contributor *site;               /* manifest->n */
    struct buffer common;                   /* the phase's letter, where all get the same one */
    struct total total[MSG_SEGMENTS_MAX];   /* dim + 1 each */
    struct opened opened[MSG_SEGMENTS_MAX]; /* dim each, where E says so */
    struct result result;
    struct buffer result_bytes; /* signed */
    unsigned threads;           /* for pads, MASK_THREADS_MAX at most; 0 counts as 1 */
};

/* Begin with a complete plan (moved in; emptied). The caller sends round->plan_bytes to the cohort.
 * STATUS_RANGE  this machine cannot grow the plan's pads, or the plan's noise cannot be taken away
 *               as it says (protocol/removal.h). STATUS_NOMEM. out is untouched. */
MUST_USE enum status round_start(struct round *out, const struct round_config *config,
                                 struct plan *plan, uint64_t now_ms);
void round_free(struct round *round);

/* Take a message from a site whose number the transport vouches for. out gets notes only. */
MUST_USE enum status round_message(struct round *round, uint32_t from, struct view message,
                                   uint64_t now_ms, struct outbox *out);

/* Append what a site should have from the coordinator in the present phase, signed: roster,
 * positions, inbox, survivors, quorum, result or abort. Nothing (and STATUS_STATE) when the phase
 * has nothing for this site; in PHASE_KEYS that is the opening, which the caller makes.
 * STATUS_NOMEM. */
MUST_USE enum status round_letter(struct buffer *out, const struct round *round, uint32_t site);

/* The site's connection was lost for longer than the study's grace; round_back or a later message
 * brings it back, if its phase is still open. */
MUST_USE enum status round_gone(struct round *round, uint32_t from, uint64_t now_ms,
                                struct outbox *out);

/* The site's connection is there again, and so is the site: the phase waits for its answer. */
void round_back(struct round *round, uint32_t from);

/* The site is out of this round for good: it was started anew and its seeds are lost, or it broke
 * the protocol. */
MUST_USE enum status round_out(struct round *round, uint32_t from, uint64_t now_ms,
                               struct outbox *out);

/* End the phase if its time is over. */
MUST_USE enum status round_deadline(struct round *round, uint64_t now_ms, struct outbox *out);

/* For the journal: count a site's input in by its signed digest alone, whose body went into totals
 * that are put back with round_restore. Statuses as round_message. Of an input that round_message
 * took and that is not among the survivors after it (its author was blamed) the journal has to hold
 * the whole message, for round_message. */
MUST_USE enum status round_recall(struct round *round, uint32_t from, struct view digest,
                                  uint64_t now_ms, struct outbox *out);
/* Put the totals of a round that is past PHASE_COLLECT, and not over, back (moved in, one per
 * segment). It must be done before the shares that end PHASE_REVEAL are taken.
 * STATUS_STATE  not in such a phase; STATUS_RANGE sizes differ; nothing changed. */
MUST_USE enum status round_restore(struct round *round, struct total *total);

/* Sites that the current phase still waits for; out is allocated, manifest->n bits. */
MUST_USE enum status round_awaited(struct bits *out, const struct round *round);

/* Whether a site certainly broke the protocol: more sites than can be corrupt accuse it, so an
 * honest one does; or its own shares do not make the seed that it committed to. */
bool round_convicts(const struct round *round, uint32_t site);

/* Dropped after dealing and recovered: |U2 \ U3|. */
uint32_t round_recovered(const struct round *round);

#endif
