/* SPDX-License-Identifier: Apache-2.0 */
/* The noisy releases that reports can account for, and what one of them tells: its privacy loss.
 *
 * Q is the law of the output without the contribution, P with it. Sampled at rate q, the pair is
 * Q against M = (1-q) Q + q P. The loss of an output is the log of how much likelier it is under
 * the first law of a pair than under the second. */
#ifndef DP_MECHANISM_H
#define DP_MECHANISM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "dp/lattice.h"

enum mechanism_kind {
    MECHANISM_GAUSSIAN,          /* noise: sigma / sensitivity */
    MECHANISM_LAPLACE,           /* noise: scale / sensitivity */
    MECHANISM_DISCRETE_GAUSSIAN, /* noise: the parameter sigma of each of `shares` terms */
    MECHANISM_SKELLAM,           /* noise: square root of the variance of each of them */
};

struct mechanism {
    enum mechanism_kind kind;
    double noise;
    uint32_t shift;  /* of whole numbers: how far one contribution moves the sum; else 1 */
    uint32_t shares; /* of whole numbers: how many noise terms are added up; else 1 */
    double sampling; /* rate in (0, 1]; 1: everybody takes part */
    bool replace;    /* sampled without replacement, neighbours replace one record: Gaussian only,
                        `noise` is still over the sensitivity to adding or removing */
    uint32_t times;  /* how often, each time with noise and coins of its own */
};

#define MECHANISM_NOISE_MIN 0.01
#define MECHANISM_NOISE_MAX 1e6

/* STATUS_RANGE  a value outside its range: noise within MECHANISM_NOISE_MIN..MAX, sampling in
 *               (0, 1], times, shift and shares at least 1. */
MUST_USE enum status mechanism_check(const struct mechanism *m);

/* Which pair of laws. The cost of a list is the larger of all of it under ADD and all under
 * REMOVE; where mechanism_symmetric, they are the same. */
enum mechanism_pair { MECHANISM_ADD, MECHANISM_REMOVE };
bool mechanism_symmetric(const struct mechanism *m);

/* The largest loss: epsilon at delta 0 of one release. Infinite for all but Laplace. */
double mechanism_pure(const struct mechanism *m);

/* What is needed to walk over the losses of one release. */
struct mechanism_walk {
    const struct mechanism *m;
    struct lattice law; /* of whole numbers */
    double from, to;    /* outputs looked at, in units of sigma or of the grid */
    double tail;        /* at most this chance lies beyond each of them, under Q, P and M */
    double least, most; /* losses */
    enum mechanism_pair pair;
};

/* Prepare; m stays borrowed. tail in (0, 1) is the chance that may be left out on each side.
 * STATUS_RANGE  whole-number noise too wide for a table. STATUS_NOMEM. walk is untouched. */
MUST_USE enum status mechanism_walk_new(struct mechanism_walk *walk, const struct mechanism *m,
                                        enum mechanism_pair pair, double tail);
void mechanism_walk_free(struct mechanism_walk *walk);

/* Hand out atoms (loss, chance under the first law) of a pair of laws that is at least as easy to
 * tell apart, by hardly more: under the first law weighted with exp(tilt * loss), neighbours'
 * losses are about a third of a step apart, or they are whole multiples of step. Both laws keep
 * their mass to a relative 1e-14. What lies beyond the end of small losses is handed out at that
 * end; `tail` beyond the end of large ones is not. */
void mechanism_walk_each(const struct mechanism_walk *walk, double step, double tilt,
                         void (*take)(void *to, double loss, double chance), void *to);

/* log(1 - q + q exp(loss)), the loss of a sampled release; and its inverse. */
double mechanism_sampled(double loss, double q);

#endif
