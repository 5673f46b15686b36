/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab audit mia: membership inference against a model. Private to audit_mia*.c. */
#ifndef LAB_AUDIT_MIA_H
#define LAB_AUDIT_MIA_H

#include "client/local.h"
#include "dp/bound.h"
#include "lab/corpus.h"
#include "lab/score.h"
#include "lab/shadow.h"
#include "lab/subject.h"

enum mia_attack { MIA_LIRA, MIA_RMIA, MIA_ATTACKS };
/* The one that the headline is about, whatever the other says. */
#define MIA_HEADLINE MIA_RMIA

/* Shares of nonmembers that may be called members. */
#define MIA_POINTS 2
/* The bound is made at this one. */
#define MIA_BOUND_POINT 1

struct mia_options {
    struct records corpus;
    const char *study, *model, *backbone, *partition, *folder;
    struct split split;
    uint32_t references, records;
    bool federated; /* the references too */
    uint64_t seed;
    unsigned threads;
    double confidence;
    bool real, json;
};

struct mia_outcome {
    double *score; /* n; owned */
    double auc;
    struct membership_roc roc;
    struct membership_point point[MIA_POINTS];
    struct bound_trials trials; /* of the point that the bound is made at; none: not measured */
    double clopper_pearson;     /* the bound; NaN: not measured */
    struct bound_run run;       /* guesses by rank; where a coin decided who is a member */
    double one_run;             /* the bound; NaN: no coins */
    double most;                /* what the headline's bound could be at best */
};

struct mia {
    struct mia_options options;
    struct subject subject;
    struct shadow how;
    struct local pool; /* its data: all records that are told apart, in an order by chance */
    uint8_t *member;   /* of each, whether the model was trained on it; owned */
    size_t members;
    bool coins; /* it was trained here, on whom a coin chose */
    struct state target;
    struct shadow_told told;            /* of its training */
    struct score on_members, on_others; /* how well it does its work */
    struct membership margins;
    struct mia_outcome outcome[MIA_ATTACKS];
    double seconds;
};

extern const char *const mia_attack_name[MIA_ATTACKS];

/* Read study and records, say who is a member, read or train the model. */
MUST_USE enum exit_code mia_prepare(struct mia *mia);
/* Train the references and attack. */
MUST_USE enum exit_code mia_run(struct mia *mia);
/* Table, verdict, document and files. */
MUST_USE enum exit_code mia_report(const struct mia *mia);

#endif
