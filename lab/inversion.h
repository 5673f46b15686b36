/* SPDX-License-Identifier: Apache-2.0 */
/* The audit by gradient inversion, without its words: a study is played (lab/fleet.h), one site's
 * update is taken at four places of its way (lab/capture.h), pictures are made of each
 * (lab/leak.h), and compared with the records that the update was made of, and with records that it
 * was not made of (lab/likeness.h).
 *
 * A record's floor is what two guesses reach without the update: the mean picture of other records,
 * and what the same attack, on noise alone, adds to it. A stage is above its floor when either
 *   - its records rise higher above their floors than other records do, which the update was not
 * made of: by a rank test that is wrong in one of 1 / INVERSION_ALARM honest runs, or
 *   - one record rises INVERSION_DB higher than any other does. */
#ifndef LAB_INVERSION_H
#define LAB_INVERSION_H

#include "lab/capture.h"
#include "lab/likeness.h"
#include "lab/verdict.h"

#define INVERSION_ALARM 1e-3
#define INVERSION_DB 3.0
#define INVERSION_SHOWN 8    /* records whose pictures are kept */
#define INVERSION_OTHERS 64u /* records that are compared for the floor, in each round */

/* Those of a capture, and the same attack on uniform noise. */
enum { INVERSION_NOISE = CAPTURE_STAGES, INVERSION_STAGES };

struct inversion;

struct inversion_options {
    const char *study; /* the file */
    uint64_t seed;
    uint32_t batch;  /* records that the attacked update is made of, on average */
    uint32_t rounds; /* training rounds that are attacked, at most */
    uint32_t steps;  /* of a search, where there is no formula */
    unsigned threads;
    bool real;                                       /* messages go over sockets */
    void (*tell)(const struct inversion *inversion); /* after each round played; NULL: nobody */
};

/* One record in one round, or one of the others. */
struct inversion_row {
    uint32_t round, record;
    bool member;
    struct likeness likeness;
    double chance; /* what pictures made of noise alone gain for the same record */
};

struct inversion_stage {
    size_t n;
    struct inversion_row *row;        /* owned */
    struct gallery original, picture; /* of the first records, INVERSION_SHOWN places; `shown` are
                                       * taken */
    size_t shown;

    /* From inversion_judge. */
    size_t members;
    struct likeness_mean psnr, floor; /* of the members */
    double best;                      /* the highest psnr of a member */
    double p;                         /* of the rank test */
    size_t found;                     /* members that gain INVERSION_DB more than by chance */
    bool above;
};

struct inversion {
    struct inversion_options options;
    struct study study;
    struct model model;
    struct dataset other; /* records that no site has */
    float *guess;         /* the mean picture of records that neither the site nor other has */
    uint32_t rounds;      /* attacked */
    struct inversion_stage stage[INVERSION_STAGES];
    double uniform; /* the least chance of likeness_uniform of a round's masked input */
    bool masked_uniform;
    enum finding finding;
    char why[600]; /* what stopped it, for people */
};

/* Read the study. EXIT_REFUSED, EXIT_FAILED: why says what to do. inversion_free is needed. */
MUST_USE enum exit_code inversion_open(struct inversion *out,
                                       const struct inversion_options *options);
void inversion_free(struct inversion *inversion);

/* Records of the attacked site, of which its sample has `batch` on average. */
size_t inversion_records(const struct inversion *inversion);
/* The least that a data set must have. */
size_t inversion_least(const struct inversion *inversion);

/* Deal the records, play, attack, judge. data is taken over. EXIT_DATA  too few records, or not the
 * study's shape; EXIT_REFUSED  no round can be played; EXIT_FAILED. */
MUST_USE enum exit_code inversion_run(struct inversion *inversion, struct dataset *data);

/* Means, tests and the finding, from the rows: the last thing that inversion_run does.
 * STATUS_NOMEM. */
MUST_USE enum status inversion_judge(struct inversion *inversion);

const char *inversion_stage_name(unsigned stage);

#endif
