/* SPDX-License-Identifier: Apache-2.0 */
/* A site's state machine of one round of SA1 (protocol/SPEC.md): message in, messages and journal
 * entries out, time passed in; no sockets, no clock, no files.
 *
 * A refusal is a status and session->why; the session then is idle again, its secrets are wiped and
 * an ABORT is in the outbox. A repeated letter is answered again, with the same bytes: STATUS_OK.
 * STATUS_STATE with why REASON_PHASE or REASON_WRONG_SESSION means: the
 * message was ignored, nothing changed. */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include "crypto/mask.h"
#include "crypto/rng.h"
#include "crypto/seal.h"
#include "protocol/bundle.h"
#include "protocol/graph.h"
#include "protocol/manifest.h"
#include "protocol/msg.h"
#include "protocol/outbox.h"

enum session_phase {
    SESSION_IDLE,      /* waits for a plan */
    SESSION_ROSTER,    /* sent its keys, waits for everybody's */
    SESSION_POSITIONS, /* ring only: opened its position, waits for everybody's */
    SESSION_INBOX,     /* sent its shares, waits for those dealt to it */
    SESSION_INPUT,     /* waits for session_input from its own side */
    SESSION_SURVIVORS, /* sent its masked input */
    SESSION_QUORUM,    /* confirmed the survivor set */
    SESSION_RESULT,    /* released shares; waits for the result */
    SESSION_PHASES
};

/* What the site itself thinks of a plan that satisfies the protocol: study, policy, budget, ring,
 * segments. state is the model that the plan's hash names. */
typedef enum reason session_judge(void *context, const struct plan *plan, struct view state);

/* What it thinks of a survivor set that satisfies the protocol, before it confirms the set. */
typedef enum reason session_weigh(void *context, const struct plan *plan,
                                  const struct bits *survivors);

struct session_config {
    const struct manifest *manifest;
    uint32_t self;           /* own member number */
    const uint8_t *identity; /* own signing seed; secret; borrowed */
    session_judge *judge;    /* NULL accepts */
    session_weigh *weigh;    /* NULL accepts */
    void *context;           /* of both */
    uint32_t slack_ms;       /* how much longer than the server a site waits in each phase */
    unsigned threads;        /* for pads; 0 counts as 1 */
    struct rng *rng;
};

/* One other site, or this one, during a session. */
struct peer {
    uint8_t mask_key[KX_PUBLIC_BYTES], enc_key[KX_PUBLIC_BYTES];
    struct hash position;             /* what it committed to; ring only */
    uint8_t seal_key[SEAL_KEY_BYTES]; /* for shares, where one holds those of the other */
    uint8_t shared[KX_SHARED_BYTES];  /* pair secret for pads, where a pad joins it to this site */
    struct bundle bundle;             /* the shares it dealt to this site, if this one holds any */
};

struct session {
    struct session_config config;
    /* Survives sessions; the driver restores it from the journal before the first message. */
    uint32_t last_round;
    struct hash transcript;

    enum session_phase phase;
    uint64_t deadline_ms;
    enum reason why; /* of the last refusal */
    uint32_t about;  /* whom it was about, or OUTBOX_SERVER */
    bool named;      /* name is that of the session, or of the plan that is being judged */
    uint8_t name[MSG_SESSION_BYTES];

    struct plan plan;
    struct hash plan_hash, roster_hash, dealers_hash, digest_hash, survivors_hash;
    uint8_t seed[SHARE_BYTES];                        /* secret */
    struct kx_pair mask_pair, enc_pair;               /* secret */
    uint8_t self_seed[MSG_SEGMENTS_MAX][SHARE_BYTES]; /* secret */
    uint8_t noise_seed[SHARE_BYTES];                  /* of part 1 of the noise; secret */
    uint8_t nonce[MSG_NONCE_BYTES];                   /* of the position; ring only */
    struct buffer advert;                             /* own, as sent */
    struct hash header_hash;                          /* of the own header */
    struct bits roster, dealers;                      /* U1 (ring: who opened a position), U2 */
    struct graph graph;                               /* who holds shares of whom, over U1 */
    struct graph pads[MSG_SEGMENTS_MAX];              /* whose pads meet, in own segments */
    struct survivors survivors;
    struct peer *peer; /* manifest->n; secret */

    /* So that a lost letter can be asked for again: what was taken last, and the answer to it. */
    struct hash taken;
    struct blob *answer;
    uint64_t release_ms; /* when the input may leave */
};

MUST_USE enum status session_new(struct session *out, const struct session_config *config);
void session_free(struct session *session);

/* The message by which a site reports in: before the first round, after each, and whenever a
 * connection begins: it names the session that the site is in, and the coordinator then repeats its
 * last letter to the site. A letter that was answered before is answered with the same bytes. */
MUST_USE enum status session_hello(const struct session *session, struct outbox *out);

MUST_USE enum status session_message(struct session *session, struct view message, uint64_t now_ms,
                                     struct outbox *out);

/* Give up what waits longer than it should. Call at deadline_ms or later (UINT64_MAX: never). */
MUST_USE enum status session_deadline(struct session *session, uint64_t now_ms, struct outbox *out);

/* In phase SESSION_INPUT: how long the input must still wait, so that its moment tells nothing
 * about the data; 0 when it may leave. */
uint64_t session_release_in(const struct session *session, uint64_t now_ms);

/* In phase SESSION_INPUT: the pads of one of this site's segments, own pad first.
 * pad is allocated, secret; wipe with secret_wipe and free. */
MUST_USE enum status session_pads(const struct session *session, uint32_t segment, struct pad **pad,
                                  size_t *n);

/* In phase SESSION_INPUT: hand over the masked vectors (dim + 1 elements each, the last one the
 * checksum; empty where this site is not a member). The input counts as released from here.
 * STATUS_NOMEM  nothing may be sent: empty the outbox and quit the session. */
MUST_USE enum status session_input(struct session *session, const struct masked *part,
                                   uint64_t now_ms, struct outbox *out);

/* The end of the study: follow the results to it. state is borrowed from message.
 * STATUS_FORMAT, STATUS_AUTH  it is not the end of this federation's study; nothing changed. */
MUST_USE enum status session_finish(struct session *session, struct view message,
                                    struct view *state);

/* Give the session up for a reason of the site's own (training failed, budget, shutdown). */
void session_quit(struct session *session, enum reason why, struct outbox *out);

/* What a site must not forget; one entry each, made durable before anything is sent. */
enum memory_kind {
    MEMORY_PLAN = 1,
    MEMORY_INPUT,
    MEMORY_CONFIRM,
    MEMORY_RELEASE,
    MEMORY_RESULT,
    MEMORY_FOLLOW /* a transcript that it caught up with */
};
struct memory {
    enum memory_kind kind;
    uint32_t round;
    uint8_t session[MSG_SESSION_BYTES];
    struct hash hash;     /* plan, digest, survivors, survivors, transcript */
    uint32_t n_survivors; /* MEMORY_RESULT */
    struct view proof; /* what has that hash: MEMORY_PLAN, MEMORY_RESULT: the coordinator's signed
                        * message, MEMORY_CONFIRM: the statement (claim_write), else empty;
                        * borrowed, of memory_read from its input */
};
#define MEMORY_PROOF_MAX (1u << 20)
void memory_write(struct buffer *out, const struct memory *memory);
MUST_USE enum status memory_read(struct memory *out, struct view in);

#endif
