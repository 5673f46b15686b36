/* SPDX-License-Identifier: Apache-2.0 */
/* One whole site as a hospital runs it, with its folder, policy, journal and records, as number 0
 * of an arena: what the coordinator of the arena can do to it. */
#ifndef TESTS_ATTACK_HOSPITAL_H
#define TESTS_ATTACK_HOSPITAL_H

#include "client/site.h"
#include "tests/lib/forge.h"

#define HOSPITAL 0
#define HOSPITAL_SITES 5
#define HOSPITAL_MAIL_MAX 8

struct hospital {
    struct arena arena; /* whose site 0 says nothing: the hospital takes its letters */
    struct site site;
    char folder[64];
    struct buffer state;  /* the study's first model, that every opening brings */
    arena_filter *filter; /* of letters between the others and from and to the hospital */
    void *context;        /* of the filter */
    size_t n_heard;       /* letters that it was given */
    enum reason refusal;  /* its last one */
    bool by_hand;         /* letters to it are kept in mail, for the caller to hand over */
    size_t n_mail;
    struct buffer mail[HOSPITAL_MAIL_MAX];
};

/* Studies of five sites, one of which may collude: an MLP 64-6-6-3, two rounds. */
extern const char hospital_study[]; /* epsilon 2, unit patient */
extern const char hospital_bare[];  /* a rehearsal without noise, unit site */

/* Enrol it, let it pin the study under a policy, and open it with so many records. REASON_NONE, or
 * why it does not take part. h is not moved afterwards. */
MUST_USE enum reason hospital_open(struct hospital *h, const char *study, const char *policy,
                                   size_t records);
/* Open it once more, as after a crash. */
MUST_USE enum reason hospital_restart(struct hospital *h);
void hospital_close(struct hospital *h);

/* The plan of a step as an honest coordinator makes it, into the arena. */
void hospital_plan(struct hospital *h, enum step step, uint32_t step_number);

/* Begin a round whose plan (struct plan) is changed for the hospital alone, and signed: what it
 * refuses, REASON_NONE when it joins. change NULL: the honest plan. */
typedef void hospital_change(struct arena *a, void *plan);
enum reason hospital_told(struct hospital *h, hospital_change *change);

/* Put what it wants sent in flight, its journal first. */
void hospital_post(struct hospital *h, struct outbox *out);

#endif
