/* SPDX-License-Identifier: Apache-2.0 */
/* The demonstration: one coordinator and a few sites as real processes on this machine, with real
 * keys, sockets, data and crashes. Private to demo*.c. */
#ifndef LAB_DEMO_H
#define LAB_DEMO_H

#include "base/command.h"
#include "base/file.h"
#include "client/data/split.h"
#include "client/model/model.h"
#include "lab/corpus.h"
#include "lab/process.h"
#include "protocol/study.h"

#define DEMO_SITES_MAX 32

struct demo_options {
    uint32_t sites, rounds; /* rounds 0: what the unit needs */
    uint32_t bits; /* of the ring; below 32 contributions are turned and rounded by chance */
    double epsilon;
    const char *unit, *model, *mode, *partition;
    struct split split; /* of that name */
    struct records corpus;
    const char *folder; /* kept; NULL: temporary */
    uint64_t seed;
    bool baseline, json;
};

/* One row of the table. */
struct demo_round {
    uint32_t round, survivors, recovered;
    bool explore, killed;
    double accuracy; /* negative: not measured */
    double epsilon, epsilon_collusion, epsilon_reader;
    uint64_t bytes_up, kept;
};

struct demo {
    struct demo_options options;
    char folder[FILE_PATH_MAX], log[FILE_PATH_MAX];
    char coordinator[FILE_PATH_MAX], client[FILE_PATH_MAX]; /* the programs */
    struct study study;
    struct dataset test;
    struct model model;
    float *test_x;
    double baseline; /* accuracy; negative: not asked for */

    struct process aggregator, site[DEMO_SITES_MAX];
    char endpoint[64];
    uint32_t n_rounds;
    struct demo_round *round;
    uint64_t parameters;
    uint32_t dropouts_recovered;
    bool sums_exact, finished;
    uint32_t sums_checked;
    double seconds;
};

/* Folder, study, data, keys, manifest, initial weights. Prints what it does on standard error. */
MUST_USE enum exit_code demo_prepare(struct demo *demo);
/* Start all processes, watch them, kill and restart sites, check sums. */
MUST_USE enum exit_code demo_run(struct demo *demo);
/* The same model without privacy and pruning, trained in this process; stays away when stopped. */
MUST_USE enum status demo_baseline(struct demo *demo, const struct dataset *train);
/* The table or the JSON document on standard output. */
void demo_report(const struct demo *demo);
/* Accuracy of a state file on the test images; negative when it cannot be read. */
double demo_accuracy(const struct demo *demo, const char *state_file);
/* End all children and remove the folder unless it is to be kept. */
void demo_clean(struct demo *demo);

#endif
