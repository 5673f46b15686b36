/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of SA1: one struct each, with its writer and reader. SPEC.md has the layouts.
 *
 * A message is "SA1", a kind byte, a body. Signed ones end in the sender's Ed25519 signature over
 * all that stands before. Readers are strict: canonical, no rest, sizes checked first; they give
 * STATUS_FORMAT, STATUS_AUTH (signature) or STATUS_NOMEM and leave the output untouched. Views in
 * outputs are borrowed from the input bytes. */
#ifndef PROTOCOL_MSG_H
#define PROTOCOL_MSG_H

#include <stdint.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "crypto/hash.h"
#include "crypto/kx.h"
#include "crypto/mask.h"
#include "crypto/merkle.h"
#include "crypto/sign.h"
#include "dp/grid.h"
#include "dp/noise.h"
#include "dp/xnoise.h"
#include "protocol/layout.h"
#include "protocol/params.h"

#define MSG_SESSION_BYTES 32
#define MSG_PREFIX_BYTES 4
#define MSG_SEGMENTS_MAX LAYOUT_SEGMENTS_MAX
#define MSG_DIM_MAX (UINT64_C(1) << 28)

enum msg_kind {
    MSG_HELLO = 1, /* site: here I am, this is my last transcript */
    MSG_PLAN,      /* M1, inside MSG_OPENING */
    MSG_OPENING,   /* plan, catch-up results, model state */
    MSG_ADVERT,    /* M2 */
    MSG_ROSTER,    /* M3 */
    MSG_HEADER,    /* signed head of M4 */
    MSG_SHARES,    /* M4 */
    MSG_INBOX,     /* M5 */
    MSG_DIGEST,    /* signed head of M6 */
    MSG_MASKED,    /* M6 */
    MSG_SURVIVORS, /* M7 */
    MSG_CONFIRM,   /* M8 */
    MSG_QUORUM,    /* M9 */
    MSG_UNMASK,    /* M10 */
    MSG_RESULT,    /* M11 */
    MSG_ABORT,     /* either side gives the session up */
    MSG_FINISH,    /* server: the study is over; final model state */
    MSG_POSITION,  /* ring only: a site opens the position that its advert committed to */
    MSG_POSITIONS, /* ring only: all positions */
    MSG_KIND_COUNT
};

/* Kind of a message, or 0 when it is not one. */
enum msg_kind msg_kind_of(struct view message);

/* --- M1 ------------------------------------------------------------------------------------- */

enum step { STEP_EXPLORE, STEP_TRAIN, STEP_EVALUATE, STEP_VOTE, STEP_COUNT };

/* How long the server waits in each phase, ms. */
enum wait {
    WAIT_KEYS,
    WAIT_POSITIONS,
    WAIT_SHARES,
    WAIT_INPUT,
    WAIT_CONFIRM,
    WAIT_UNMASK,
    WAIT_COUNT
};

struct segment {
    char name[LAYOUT_NAME_MAX + 1];
    uint64_t dim;        /* coordinates, without the checksum element */
    struct bits members; /* S_l, of n bits; owned */
    uint32_t degree;     /* of the ring along which its members' pads run; 0: every pair has one */
};

struct plan {
    uint8_t session[MSG_SESSION_BYTES];
    uint32_t round; /* strictly increasing in a study */
    enum step step;
    uint32_t step_number; /* 0-based among the study's steps of this kind */
    struct hash manifest, study, previous, state;
    struct params params;
    struct bits cohort; /* U0; owned */
    struct grid grid;
    double sampling; /* Poisson rate of records at a site; 1: all */
    enum mask_cipher cipher;
    uint32_t wait_ms[WAIT_COUNT];
    uint32_t release_ms; /* no input leaves its site earlier than this after the inbox came */
    enum noise_sampler sampler;
    uint32_t clip_bit;  /* grid units, in grid.norm2 with its square (dp/clip.h); 0: none */
    uint32_t removable; /* parts of its noise that can be taken away again (removal.h) */
    uint32_t n_segments;
    struct segment segment[MSG_SEGMENTS_MAX];
};
void plan_free(struct plan *plan);
MUST_USE enum status plan_copy(struct plan *out, const struct plan *in);

void plan_write(struct buffer *out, const struct plan *plan, const uint8_t *identity);
/* n is the number of members. *hash is of the signed bytes without the signature. */
MUST_USE enum status plan_read(struct plan *out, struct hash *hash, struct view in, uint32_t n,
                               const uint8_t *server);

/* --- the envelope of a plan, and the end ------------------------------------------------------ */

/* plan: signed bytes. state: keep set and weights (protocol/state.h), the last field, so that its
 * bytes are shared by the openings of all sites. results: M11 of the rounds that the site missed,
 * oldest first. */
struct opening {
    struct view plan;
    uint32_t n_results;
    struct view results; /* n_results blobs, read with read_blob */
    struct view state;
};
#define MSG_RESULTS_MAX 200000u /* more than a study has rounds */
#define MSG_RESULT_BYTES_MAX 8192u
/* Everything but the state's bytes, which follow: opening->state.at is not read. */
void opening_write(struct buffer *out, const struct opening *opening);
MUST_USE enum status opening_read(struct opening *out, struct view in);

/* The end of a study: the final state, and the results that the site missed. */
struct finish {
    struct hash manifest;
    struct view state;
    uint32_t n_results;
    struct view results;
};
void finish_write(struct buffer *out, const struct finish *finish, const uint8_t *identity);
MUST_USE enum status finish_read(struct finish *out, struct view in, const uint8_t *server);

/* --- before and between rounds -----------------------------------------------------------------
 */

struct hello {
    uint32_t from;
    struct hash study, transcript;
    uint8_t session[MSG_SESSION_BYTES]; /* that it is in; zeros when idle */
};
void hello_write(struct buffer *out, const struct hello *hello, const uint8_t *identity);
MUST_USE enum status hello_read(struct hello *out, struct view in, const uint8_t *sender);

/* --- M2, M3 ----------------------------------------------------------------------------------- */

struct advert {
    uint8_t session[MSG_SESSION_BYTES];
    struct hash plan;
    uint32_t from;
    uint8_t mask_key[KX_PUBLIC_BYTES], enc_key[KX_PUBLIC_BYTES];
    struct hash position; /* position_commit of the nonce it will open; zero in a complete graph */
};
void advert_write(struct buffer *out, const struct advert *advert, const uint8_t *identity);
MUST_USE enum status advert_read(struct advert *out, struct view in, const uint8_t *sender);

/* advert[v] is empty for sites that are not in U1. */
struct roster {
    uint8_t session[MSG_SESSION_BYTES];
    uint32_t n;
    struct view *advert; /* n views, owned array of borrowed bytes */
};
void roster_free(struct roster *roster);
void roster_write(struct buffer *out, const struct roster *roster, const uint8_t *identity);
MUST_USE enum status roster_read(struct roster *out, struct view in, uint32_t n,
                                 const uint8_t *server);
/* R = H(plan hash || adverts in order of their numbers). */
struct hash roster_hash(const struct hash *plan, const struct view *advert, uint32_t n);

/* --- positions on the ring ---------------------------------------------------------------------
 */

#define MSG_NONCE_BYTES 32

struct position {
    uint8_t session[MSG_SESSION_BYTES];
    uint32_t from;
    uint8_t nonce[MSG_NONCE_BYTES];
};
struct hash position_commit(const struct position *position);
void position_write(struct buffer *out, const struct position *position, const uint8_t *identity);
MUST_USE enum status position_read(struct position *out, struct view in, const uint8_t *sender);

/* nonce[v] is empty for sites that are not in U1, and for those that kept silent. */
struct positions {
    uint8_t session[MSG_SESSION_BYTES];
    uint32_t n;
    struct view *nonce; /* n views, owned array of borrowed bytes */
};
void positions_free(struct positions *positions);
void positions_write(struct buffer *out, const struct positions *positions,
                     const uint8_t *identity);
MUST_USE enum status positions_read(struct positions *out, struct view in, uint32_t n,
                                    const uint8_t *server);
/* The hash that orders the ring, and that takes the place of R in all that follows:
 * H(R || nonces in order of their numbers). */
struct hash positions_hash(const struct hash *roster, const struct view *nonce, uint32_t n);

/* --- M4, M5 ----------------------------------------------------------------------------------- */

/* What u commits to before anyone sees a share: each self-mask seed, each seed of noise that can be
 * taken away, and under one root the shares for all its holders (graph_holder). */
struct header {
    uint8_t session[MSG_SESSION_BYTES];
    struct hash plan, roster;
    uint32_t from;
    struct hash root;
    uint32_t n_selfs; /* segments of the plan; zero hash where u is not a member */
    struct hash self[MSG_SEGMENTS_MAX];
    uint32_t n_noises; /* plan's removable */
    struct hash noise[XNOISE_REMOVABLE_MAX];
};
void header_write(struct buffer *out, const struct header *header, const uint8_t *identity);
MUST_USE enum status header_read(struct header *out, struct view in, const uint8_t *sender);

/* leaf and sealed have one entry per holder, in their order; where the dealer itself is one, its
 * sealed part is empty. */
struct shares {
    struct view header;
    uint32_t n;
    struct hash *leaf;   /* owned */
    struct view *sealed; /* owned array of borrowed bytes */
};
void shares_free(struct shares *shares);
void shares_write(struct buffer *out, const struct shares *shares);
MUST_USE enum status shares_read(struct shares *out, struct view in, uint32_t n_holders,
                                 size_t sealed_limit);

/* For recipient u: who is in U2 with the hash of each one's header, and from those that u holds
 * shares of, the header, what was sealed for u and the path of its leaf. */
struct inbox {
    uint8_t session[MSG_SESSION_BYTES];
    uint32_t n;
    struct bits dealers; /* U2, n bits; owned */
    struct hash *head;   /* n: header_hash where in U2; owned */
    struct view *header; /* n each; empty where u holds nothing; owned arrays of borrowed bytes */
    struct view *sealed; /* empty for the recipient itself */
    struct merkle_path *path; /* owned */
};
/* Hash of a header's signed bytes. It is bound into the seal of each share (SPEC.md, "dealing"). */
struct hash header_hash(struct view header);
void inbox_free(struct inbox *inbox);
/* A zeroed inbox for n members. STATUS_NOMEM. */
MUST_USE enum status inbox_new(struct inbox *out, uint32_t n);
void inbox_write(struct buffer *out, const struct inbox *inbox, const uint8_t *identity);
MUST_USE enum status inbox_read(struct inbox *out, struct view in, uint32_t n, size_t sealed_limit,
                                const uint8_t *server);
/* H(U2): the set, then the hashes of its headers in order. */
struct hash inbox_hash(const struct bits *dealers, const struct hash *head);

/* --- M6 ----------------------------------------------------------------------------------------
 */

struct digest {
    uint8_t session[MSG_SESSION_BYTES];
    struct hash plan, roster, dealers; /* dealers: H(U2) */
    uint32_t from;
    uint32_t n_segments;
    struct hash segment[MSG_SEGMENTS_MAX]; /* of the packed bytes; zero where u is not a member */
};
void digest_write(struct buffer *out, const struct digest *digest, const uint8_t *identity);
MUST_USE enum status digest_read(struct digest *out, struct view in, const uint8_t *sender);

/* body[l]: dim + 1 elements packed at the ring's width; empty where u is not a member. */
struct masked_input {
    struct view digest;
    uint32_t n_segments;
    struct view body[MSG_SEGMENTS_MAX];
};
void masked_write(struct buffer *out, const struct masked_input *masked);
/* Refuses bodies that do not have the size that the plan gives to member `from`. */
MUST_USE enum status masked_read(struct masked_input *out, struct view in, const struct plan *plan,
                                 uint32_t from);
/* Of a masked input of this plan, with a digest of so many bytes. */
size_t masked_bytes(const struct plan *plan, uint32_t from, size_t digest_bytes);
struct hash masked_digest(struct view body);

/* --- M7, M8, M9 --------------------------------------------------------------------------------
 */

/* The one statement about who is in, signed by the server and confirmed by at least T sites. */
struct survivors {
    uint8_t session[MSG_SESSION_BYTES];
    struct hash plan, roster, dealers;
    struct bits survivors; /* U3, n bits; owned */
    struct bits opened;    /* E, one bit per segment; owned */
    struct hash root;      /* over the digests of U3 in order of their numbers */
};
void survivors_free(struct survivors *survivors);
/* The hash that sites sign: all fields. */
struct hash survivors_hash(const struct survivors *survivors);

/* Its fields alone, as a site keeps what it confirmed: no kind, no signature.
 * claim_read: STATUS_FORMAT, STATUS_NOMEM; out is untouched. */
void claim_write(struct buffer *out, const struct survivors *survivors);
MUST_USE enum status claim_read(struct survivors *out, struct view in, uint32_t n,
                                uint32_t n_segments);

/* For recipient u: what it has to see under the root before it confirms. */
struct witness {
    struct merkle_path own; /* of u's digest */
    uint32_t n;
    struct view *digest;      /* n: signed, of the other survivors that u holds shares of; else
                                 empty; owned array of borrowed bytes */
    struct merkle_path *path; /* n: of those; owned */
};
/* A zeroed witness for n members. STATUS_NOMEM. */
MUST_USE enum status witness_new(struct witness *out, uint32_t n);
void witness_free(struct witness *witness);
/* The witness has as many members as the set of survivors. */
void survivors_write(struct buffer *out, const struct survivors *survivors,
                     const struct witness *witness, const uint8_t *identity);
MUST_USE enum status survivors_read(struct survivors *out, struct witness *witness, struct view in,
                                    uint32_t n, uint32_t n_segments, const uint8_t *server);

struct confirm {
    uint8_t session[MSG_SESSION_BYTES];
    uint32_t from;
    uint8_t signature[SIGN_BYTES]; /* over survivors_hash, label "SA1-confirm" */
};
void confirm_sign(struct confirm *confirm, const struct hash *survivors, const uint8_t *identity);
MUST_USE bool confirm_check(const struct confirm *confirm, const struct hash *survivors,
                            const uint8_t *sender);
void confirm_write(struct buffer *out, const struct confirm *confirm);
MUST_USE enum status confirm_read(struct confirm *out, struct view in);

struct quorum {
    uint8_t session[MSG_SESSION_BYTES];
    uint32_t n;
    struct confirm *confirm; /* owned; session not repeated on the wire */
};
void quorum_free(struct quorum *quorum);
void quorum_write(struct buffer *out, const struct quorum *quorum);
MUST_USE enum status quorum_read(struct quorum *out, struct view in, uint32_t n_max);

/* --- M10 ----------------------------------------------------------------------------------------
 */

/* bundle[v] (protocol/bundle.h): for each dealer of U2, the shares that the survivor set allows. */
struct bundle;
struct unmask {
    uint8_t session[MSG_SESSION_BYTES];
    struct hash survivors;
    uint32_t from;
    uint32_t n;
    struct bundle *bundle; /* n; n == 0 where the dealer is not in U2; owned, wiped */
};
void unmask_free(struct unmask *unmask);
void unmask_write(struct buffer *out, const struct unmask *unmask, const uint8_t *identity);
MUST_USE enum status unmask_read(struct unmask *out, struct view in, uint32_t n,
                                 const uint8_t *sender);

/* --- M11 ----------------------------------------------------------------------------------------
 */

struct result {
    uint8_t session[MSG_SESSION_BYTES];
    uint32_t round;
    struct hash previous; /* transcript before this round */
    struct hash plan;
    struct hash survivors; /* survivors_hash */
    uint32_t n_survivors;
    struct hash sums; /* H of the opened segments in order */
};
void result_write(struct buffer *out, const struct result *result, const uint8_t *identity);
MUST_USE enum status result_read(struct result *out, struct view in, const uint8_t *server);
/* The transcript hash after this result: chains all rounds of a study. */
struct hash result_transcript(const struct result *result);

/* --- giving up -----------------------------------------------------------------------------------
 */

struct abort_notice {
    uint8_t session[MSG_SESSION_BYTES];
    uint32_t from;  /* member number, or OUTBOX_SERVER */
    uint32_t about; /* whom it is about, or OUTBOX_SERVER */
    enum reason reason;
};
void abort_write(struct buffer *out, const struct abort_notice *notice, const uint8_t *identity);
MUST_USE enum status abort_read(struct abort_notice *out, struct view in, const uint8_t *sender);

#endif
