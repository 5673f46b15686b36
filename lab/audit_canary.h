/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab audit canary: one run of a study with records that a coin put in. Private to
 * audit_canary*.c. */
#ifndef LAB_AUDIT_CANARY_H
#define LAB_AUDIT_CANARY_H

#include "client/data/split.h"
#include "client/local.h"
#include "dp/bound.h"
#include "lab/charge.h"
#include "lab/corpus.h"
#include "lab/subject.h"

enum canary_kind { CANARY_RANDOM, CANARY_MISLABELLED, CANARY_KINDS };

/* Of the two the one that the headline is about is declared before the run. */
enum canary_method { CANARY_ONE_RUN, CANARY_ONE_RUN_FDP, CANARY_METHODS };

struct canary_options {
    struct records corpus;
    const char *study, *backbone, *partition, *folder, *site;
    const char *images, *labels; /* of canaries from a file */
    struct split split;
    enum canary_kind kind;
    enum canary_method method;
    uint32_t canaries, guesses;
    bool guessing; /* their number was said; else one for four canaries */
    bool public, seeded, real, json;
    uint64_t seed;
    unsigned threads;
    double confidence;
};

struct canary_audit {
    struct canary_options options;
    struct subject subject;
    struct rng rng;                 /* of coins, canaries and the partition */
    struct local canary;            /* its data: the canaries */
    struct dataset *share;          /* n_sites; handed over when the study begins; owned */
    bool *included;                 /* the coins; owned, as the others: one for each canary */
    double *before, *after, *score; /* margins under the first and the last model; what they rose */
    size_t records;                 /* without canaries */
    struct fleet fleet;
    struct charge charge;
    double charged; /* epsilon by the ledger, where one is charged */
    double epsilon; /* against the model's reader, by the coordinator's ledger */
    struct bound_run run;
    double bound[CANARY_METHODS];
    double most; /* the declared bound, had all guesses been right */
    double seconds;
};

extern const char *const canary_kind_name[CANARY_KINDS];
extern const char *const canary_method_name[CANARY_METHODS];

/* What the canaries are called: their kind, or where they are from. */
const char *canary_source(const struct canary_options *options);

/* Read study and records, make canaries, toss the coins, open the fleet. */
MUST_USE enum exit_code canary_prepare(struct canary_audit *audit);
/* Reserve, train, settle, guess. */
MUST_USE enum exit_code canary_run(struct canary_audit *audit);
/* Table, verdict, document and files. */
MUST_USE enum exit_code canary_report(const struct canary_audit *audit);

#endif
