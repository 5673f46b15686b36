/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of a budget ledger as bytes (protocol/SPEC.md, section 13): what was reserved, what
 * happened, and the hash of the entry before it. Nothing in it is secret. */
#ifndef PROTOCOL_LEDGER_ENTRY_H
#define PROTOCOL_LEDGER_ENTRY_H

#include "crypto/hash.h"
#include "crypto/sign.h"
#include "dp/account.h"
#include "protocol/msg.h"
#include "protocol/study.h"

#define LEDGER_NAME_MAX 63
#define LEDGER_ENTRY_BYTES_MAX 512

enum ledger_kind {
    LEDGER_OPEN = 1, /* a data set, with what its lifetime is limited in */
    LEDGER_STUDY,    /* a study on a data set */
    LEDGER_RESERVE,  /* a release at its worst, before its noise is drawn */
    LEDGER_SETTLE,   /* the noise shares that it had in the end */
    LEDGER_VOID,     /* it never left */
    LEDGER_KINDS
};

/* In brackets the kinds that have the member; in all others it is zero. */
struct ledger_entry {
    uint64_t number;                   /* from 1 */
    struct hash previous;              /* of the entry before; zero for the first */
    uint64_t time_s;                   /* since 1970 by the writer's clock: for people */
    uint8_t signer[SIGN_PUBLIC_BYTES]; /* who wrote it */
    enum ledger_kind kind;
    char data_set[LEDGER_NAME_MAX + 1]; /* [open, study] printable */
    struct hash manifest;               /* [all but open] names the study */
    char study[STUDY_ID_MAX + 1];       /* [study] its id, for people */
    enum study_unit unit;               /* [open] whom the limit protects; [study] the study's */
    uint32_t order;                     /* [open, study] place in RDP_ORDER: its gate's */
    double epsilon, delta;              /* [open, study] limit, as it was at that time */
    double sampler_delta;               /* [study] part of delta that its sampler costs */
    uint32_t colluding;                 /* [study] whose shares n_shares leaves out */
    uint32_t round;                     /* [reserve, settle, void] */
    enum step step;                     /* [reserve] */
    struct release release;             /* [reserve]; [settle] n_shares alone */
};

/* The bytes of an entry, appended. The kind must be one of the five. */
void ledger_entry_write(struct buffer *out, const struct ledger_entry *entry);

/* STATUS_FORMAT  not the bytes of an entry, or a value outside its range; out is untouched. */
MUST_USE enum status ledger_entry_read(struct ledger_entry *out, struct view in);

/* What the next entry names as the one before. */
struct hash ledger_entry_hash(struct view bytes);

void ledger_entry_sign(uint8_t signature[static SIGN_BYTES],
                       const uint8_t identity[static SIGN_SEED_BYTES], struct view bytes);
MUST_USE bool ledger_entry_signed(const struct ledger_entry *entry, struct view bytes,
                                  const uint8_t signature[static SIGN_BYTES]);

/* 1 to LEDGER_NAME_MAX printable characters of ASCII. */
bool ledger_name_valid(const char *name);

#endif
