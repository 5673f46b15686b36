/* SPDX-License-Identifier: Apache-2.0 */
/* M0: who takes part. Made offline, signed by a quorum of governance keys, pinned by its hash at
 * every site. A request is how a site asks to be put in: its public keys, signed by itself. */
#ifndef PROTOCOL_MANIFEST_H
#define PROTOCOL_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "crypto/hash.h"
#include "crypto/keyfile.h"
#include "crypto/mask.h"
#include "crypto/sign.h"
#include "protocol/params.h"

#define MANIFEST_GOVERNORS_MAX 8
#define MANIFEST_BYTES_MAX (1u << 18)

struct study;

struct member {
    char name[KEYFILE_NAME_MAX + 1];
    uint8_t identity[SIGN_PUBLIC_BYTES]; /* Ed25519 */
    uint8_t transport[32];               /* X25519, CURVE */
    bool aes;                            /* its machine has AES instructions, as it declared */
};

/* What no plan of this federation may undercut, whatever the study says. */
struct floor_policy {
    uint32_t m, c;      /* least honest contributors; collusion that must be withstood */
    double max_epsilon; /* per study; may be infinite for rehearsals */
    double max_delta;
};

struct manifest {
    char federation[KEYFILE_NAME_MAX + 1];
    uint32_t epoch;
    struct hash study; /* of the study file's exact bytes */
    struct floor_policy floor;
    struct member coordinator;
    uint32_t n;            /* sites, numbered in this order */
    struct member *member; /* owned */
    uint32_t n_governors, governors_needed;
    uint8_t governor[MANIFEST_GOVERNORS_MAX][SIGN_PUBLIC_BYTES];
};

void manifest_free(struct manifest *manifest);

/* The first epoch of a study's manifest: its name and hash, and as floor what it promises. The rest
 * of out is untouched. */
void manifest_begin(struct manifest *out, const struct study *study);

/* Append the canonical bytes. */
void manifest_write(struct buffer *out, const struct manifest *manifest);
/* The hash that is signed and pinned: all fields in the order of the bytes, each a part. */
struct hash manifest_hash(const struct manifest *manifest);

/* Append a governor's signature to a written manifest (after manifest_write or an earlier
 * signature). STATUS_AUTH: the key is not one of its governors. */
MUST_USE enum status manifest_sign(struct buffer *signed_manifest, const struct manifest *manifest,
                                   const uint8_t seed[static SIGN_SEED_BYTES]);

/* Read a signed manifest; *why says what is wrong (REASON_FORMAT, REASON_MANIFEST_QUORUM).
 * Refused: names or keys that occur twice, no members, more governors needed than there are, fewer
 * distinct valid signatures than needed, an unknown signer.
 * STATUS_FORMAT, STATUS_AUTH, STATUS_NOMEM; out is untouched. */
MUST_USE enum status manifest_read(struct manifest *out, struct view in, enum reason *why);

/* The same for a manifest that still lacks signatures: those that it has are checked and counted.
 * For governors who are about to sign; sites use manifest_read. */
MUST_USE enum status manifest_draft(struct manifest *out, struct view in, uint32_t *signatures);

/* The first member, coordinator included, whose machine did not declare what a cipher needs; NULL
 * when all can grow its pads. */
const struct member *manifest_lacking(const struct manifest *manifest, enum mask_cipher cipher);

/* A site's request as text: name, keys, whether its machine has AES instructions, self-signature.
 */
void request_write(struct buffer *out, const struct keyfile *key, bool aes);
/* STATUS_FORMAT  not a request.  STATUS_AUTH  not signed by the identity it names. */
MUST_USE enum status request_read(struct member *out, struct view in);

/* The member that a key file belongs to, and whether its machine has AES instructions. */
void member_of(struct member *out, const struct keyfile *key, bool aes);

/* Whether both have the same name and keys, whatever their machines. */
bool member_same(const struct member *a, const struct member *b);

#endif
