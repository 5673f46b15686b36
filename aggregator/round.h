/* SPDX-License-Identifier: Apache-2.0 */
/* The aggregator's state machine of one round of SA1 (protocol/SPEC.md): message in, messages out,
 * time passed in; no sockets, no clock, no files.
 *
 * A phase ends when every site that it waits for has answered, or at its deadline. STATUS_STATE
 * from round_message means: ignored, nothing changed. Other failures concern the sender alone,
 * except STATUS_NOMEM, which ends the round. The round as a whole fails by going to PHASE_FAILED;
 * round->why says why. */
#ifndef AGGREGATOR_ROUND_H
#define AGGREGATOR_ROUND_H

#include "protocol/manifest.h"
#include "protocol/msg.h"
#include "protocol/outbox.h"

enum phase {
    PHASE_KEYS,    /* waits for adverts */
    PHASE_SHARES,  /* waits for dealt shares */
    PHASE_COLLECT, /* waits for masked inputs */
    PHASE_CONFIRM, /* waits for confirmations of the survivor set */
    PHASE_REVEAL,  /* waits for shares */
    PHASE_DONE,
    PHASE_FAILED,
    PHASE_COUNT
};

/* What the round holds of one site. */
struct contributor {
    bool away;               /* its connection is lost: not waited for */
    bool out;                /* gave up, or lied: nothing more is taken from it */
    uint32_t accusers;       /* sites that gave up because of it */
    struct buffer advert;    /* signed bytes */
    struct advert keys;      /* parsed */
    struct buffer header;    /* signed bytes */
    struct header committed; /* parsed */
    struct hash *leaf;       /* one per site of U1, by rank; owned */
    struct buffer *sealed;   /* one per site of U1, by rank; owned */
    struct hash digest;      /* of its signed digest */
    struct confirm confirm;
    struct unmask revealed; /* checked against the leaves; secret */
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
    struct hash plan_hash, roster_hash, dealers_hash, survivors_hash;
    struct bits adverts, dealers, survivors, confirmed, revealed; /* U1, U2, U3, ... */
    struct bits opened_set;                                       /* E */
    struct contributor *site;                                     /* manifest->n */
    struct total total[MSG_SEGMENTS_MAX];                         /* dim + 1 each */
    struct opened opened[MSG_SEGMENTS_MAX];                       /* dim each, where E says so */
    struct result result;
    struct buffer result_bytes; /* signed */
};

/* Begin with a complete plan (moved in; emptied). The caller sends round->plan_bytes to the cohort.
 */
MUST_USE enum status round_start(struct round *out, const struct round_config *config,
                                 struct plan *plan, uint64_t now_ms);
void round_free(struct round *round);

/* Take a message from a site whose number the transport vouches for. */
MUST_USE enum status round_message(struct round *round, uint32_t from, struct view message,
                                   uint64_t now_ms, struct outbox *out);

/* The site's connection was lost for longer than the study's grace; a later message brings it
 * back, if its phase is still open. */
MUST_USE enum status round_gone(struct round *round, uint32_t from, uint64_t now_ms,
                                struct outbox *out);

/* End the phase if its time is over. */
MUST_USE enum status round_deadline(struct round *round, uint64_t now_ms, struct outbox *out);

/* Sites that the current phase still waits for; out is allocated, manifest->n bits. */
MUST_USE enum status round_awaited(struct bits *out, const struct round *round);

/* Whether a site certainly broke the protocol: more sites than can be corrupt accuse it, so an
 * honest one does; or its own shares do not make the seed that it committed to. */
bool round_convicts(const struct round *round, uint32_t site);

/* Dropped after dealing and recovered: |U2 \ U3|. */
uint32_t round_recovered(const struct round *round);

#endif
