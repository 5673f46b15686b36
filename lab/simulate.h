/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab simulate: a study over the shares of a data set, in this process (lab/fleet.h), or
 * its yardsticks (lab/solo.h, lab/topk.h). Private to simulate*.c. */
#ifndef LAB_SIMULATE_H
#define LAB_SIMULATE_H

#include "base/command.h"
#include "client/backbone.h"
#include "client/data/split.h"
#include "lab/corpus.h"
#include "lab/fleet.h"
#include "lab/score.h"

enum simulate_method {
    SIMULATE_FEDERATED,
    SIMULATE_LOCAL,
    SIMULATE_CENTRAL,
    SIMULATE_TOPK,
    SIMULATE_METHODS
};

struct simulate_options {
    struct records corpus;
    const char *study, *partition, *initial, *backbone;
    struct split split; /* of that name */
    enum simulate_method method;
    uint64_t seed;
    uint32_t every; /* training rounds between two scores; 0: at the end only */
    double dropout, lifetime_epsilon;
    unsigned threads;
    bool json;
};

/* One round, or where there are none, one pass of everybody's training. */
struct simulate_row {
    struct fleet_round round;
    bool scored;
    struct score score; /* of the model after it; alone: the mean of the sites' models */
    double least, most; /* accuracy of the worst and of the best of these models */
    double epsilon[ADVERSARY_COUNT]; /* spent so far; where scored */
    uint64_t kept;                   /* coordinates */
    double seconds;                  /* of the round, without scoring */
};

struct simulation {
    struct simulate_options options;
    struct study study;
    uint64_t parameters;
    uint64_t macs_kept; /* a record's forward pass, of what was kept in the end; 0: not known */
    float *initial;     /* parameters */
    struct backbone backbone;
    struct hash data_hash; /* of the training records before they are dealt */
    struct hash test_hash;
    struct local test;     /* its records */
    uint32_t n;            /* sites */
    struct dataset *share; /* n; handed over when the run begins */
    size_t *records;       /* n */

    struct fleet fleet;
    double limit[ADVERSARY_COUNT]; /* at most, whatever happens */
    double site_epsilon;           /* by the sites' own ledgers, the largest */
    uint32_t n_rows;
    struct simulate_row *row; /* owned */
    bool finished, exact;     /* exact: every sum that was compared */
    char stop[600];           /* why it ended before its time; else empty */
    double seconds;
};

/* Study, backbone, data, partition and initial weights; says what is wrong on standard error. */
MUST_USE enum exit_code simulate_prepare(struct simulation *s);
/* Run it to its end, to a limit, or to a signal. */
MUST_USE enum exit_code simulate_run(struct simulation *s);
/* The table or the JSON document on standard output. */
void simulate_report(const struct simulation *s);

const char *simulate_method_name(enum simulate_method method);

#endif
