/* SPDX-License-Identifier: Apache-2.0 */
/* What a sweep left in its folder, one run per subfolder NNNN: manifest.json, status.json,
 * result.json, and perhaps an audit's mia.json or canary.json. The files are other people's. A run
 * that cannot be read stays a run, with the reason why. */
#ifndef LAB_RUNS_H
#define LAB_RUNS_H

#include "lab/document.h"

#define RUNS_MAX 10000
#define RUNS_CURVE_MAX 500 /* rounds that are kept of a run, evenly */
#define RUNS_SITES_MAX 2048
#define RUNS_BLOCKS_MAX 512
#define RUNS_SETTINGS_MAX 24 /* of a grid */
#define RUNS_LABEL_MAX 160

enum run_state { RUN_DONE, RUN_FAILED, RUN_RUNNING, RUN_UNREADABLE, RUN_STATES };

struct run_point {
    uint32_t round;
    double accuracy; /* NAN: it was not scored */
    double epsilon;  /* spent so far; may be infinite; NAN: it was not added up */
};

struct run_site {
    double records;
    double own;  /* accuracy of the final model on the site's training records */
    double test; /* of the site's own model on the test records; NAN: it has none */
};

struct run {
    char name[16];
    char label[RUNS_LABEL_MAX]; /* its settings where runs differ, all but the seed */
    size_t cell;                /* the first run with that label */
    size_t again;               /* the next one; 0: none */
    enum run_state state;
    char why[300]; /* it is not done */
    char method[48], version[32], commit[64], build[400], data_hash[72];
    char initial_hash[72]; /* of weights from a file, or words that they were drawn */
    json_t *settings;      /* its place in the grid; owned; NULL: not known */
    char unit[32], adjacency[64], frame[320]; /* what its epsilons are about; empty: no privacy */
    size_t kind;         /* number of that frame among the different ones, from 1; 0: no privacy */
    double target;       /* epsilon: what was asked, or the limit if that is more; NAN: none */
    double limit, spent; /* epsilon against the server with its colluding sites */
    double accuracy, balanced, auc;
    double bytes_up; /* of a site in all */
    double kept;     /* share of the parameters in the end */
    double dropout;  /* chance of a site in a round */
    uint32_t sites, rounds, opened;
    double attack_tpr, attack_bound; /* of membership at 1 % false alarms; of canaries */
    size_t n_curve, scored;          /* scored: of the curve */
    struct run_point *curve;         /* owned */
    size_t n_sites;
    struct run_site *site; /* owned */
    uint32_t blocks, min_holders;
    uint32_t *held; /* owned; blocks x sites: rounds in which a site held a block */
};

struct runs {
    size_t n;
    struct run *run; /* owned */
    size_t n_kinds;  /* of frames */
    size_t n_varying;
    char varying[RUNS_SETTINGS_MAX][48]; /* settings in which runs of one method differ */
};

void runs_free(struct runs *runs);

/* Documents of one run; NULL: there is none. Settings are shared with the manifest. */
enum run_document { RUN_MANIFEST, RUN_STATUS, RUN_RESULT, RUN_MIA, RUN_CANARY, RUN_DOCUMENTS };

/* Take from them what reports need; run has its name, and why where a document cannot be used.
 * STATUS_NOMEM  run holds what could be read. */
MUST_USE enum status runs_fill(struct run *run, json_t *const document[static RUN_DOCUMENTS]);

/* Read a sweep's folder.
 * STATUS_IO     no such folder. STATUS_FORMAT  no runs in it. STATUS_RANGE  more than RUNS_MAX.
 * STATUS_NOMEM. out is untouched on failure. */
MUST_USE enum status runs_read(struct runs *out, const char *folder);
/* Find what varies, and the runs that are repetitions of each other, in n log n for n runs;
 * runs_read has done so. STATUS_NOMEM. */
MUST_USE enum status runs_compare(struct runs *runs);

/* The settings in which runs differ, without the seed and without `but` (may be NULL): "random,
 * keep 0.3". Runs whose settings do not fit get labels of their own. */
void runs_label(char out[static RUNS_LABEL_MAX], const struct runs *runs, const struct run *run,
                const char *but);

#endif
