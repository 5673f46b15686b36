/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab simulate: a study over the shares of a data set, in this process (lab/fleet.h), or
 * its yardsticks (lab/solo.h, lab/topk.h). Private to simulate*.c. */
#ifndef LAB_SIMULATE_H
#define LAB_SIMULATE_H

#include <jansson.h>

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
    bool real, json;
};

/* One round, or where there are none, one pass of everybody's training. */
struct simulate_row {
    struct fleet_round round;
    bool scored;
    struct score score; /* of the model after it; alone: the mean of the sites' models */
    double least, most; /* accuracy of the worst and of the best of these models */
    bool counted;       /* of a federation: */
    double epsilon[ADVERSARY_COUNT]; /* spent so far */
    uint64_t kept;                   /* coordinates */
    double seconds;                  /* of the round, without scoring */
};

struct simulate_site {
    struct score own, test; /* n is 0 where there is none: simulate_sites.c */
};

struct simulation {
    struct simulate_options options;
    struct study study;
    uint64_t parameters;
    uint64_t macs_kept; /* a record's forward pass, of what was kept in the end; 0: not known */
    float *initial;     /* parameters */
    struct hash initial_hash;
    struct backbone backbone;
    struct hash data_hash; /* of the training records before they are dealt */
    struct hash test_hash;
    struct local test;          /* its records */
    uint32_t n;                 /* sites */
    struct dataset *share;      /* n; handed over when the run begins */
    size_t *records;            /* n */
    struct simulate_site *site; /* n */
    uint32_t n_blocks, *held;   /* n_blocks x n opened rounds in which a site held a block; NULL:
                                 * none are allocated */
    struct hash model_hash;     /* of the last state, as plans name it; of several, of theirs */

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

/* Once training is over: what the last state, or that of each site, is worth on the site's own
 * records. local: n, with the study's model; NULL where records are not told apart. STATUS_NOMEM,
 * STATUS_RANGE. */
MUST_USE enum status simulate_end(struct simulation *s, const struct state *const *state,
                                  uint32_t n_states, struct local *const *local);
/* Count an opened training round's blocks. STATUS_NOMEM. */
MUST_USE enum status simulate_note_blocks(struct simulation *s, const struct plan *plan);

/* Of each site its records, the score of the model that it ends with on these very records, and of
 * its own model, if it has one, on those to test on. */
json_t *simulate_sites_json(const struct simulation *s);
/* rounds_held[block][site]: the opened training rounds in which the site held the block. */
json_t *simulate_allocation_json(const struct simulation *s);
/* Null where it is of no record. */
json_t *simulate_score_json(const struct score *score);

extern const char *const simulate_method_name[SIMULATE_METHODS];

#endif
