/* SPDX-License-Identifier: Apache-2.0 */
/* Repeated measurements: what was measured in groups, at places, several times each; with the mean
 * and its 95 % interval by Student's t, the repetitions taken as independent. */
#ifndef LAB_TREND_H
#define LAB_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define TREND_POINTS_MAX ((size_t)200000)
#define TREND_LABEL_MAX 400

struct trend_point {
    uint32_t group;
    double key; /* the place that makes measurements repetitions; may be infinite */
    double x;   /* where it is drawn: the mean of the places that were given */
    uint32_t n;
    double mean, squares; /* squared differences to the mean, added up */
    double most;
};

/* Where things are found by their hash: a power of two of places, at least half of them free. */
struct trend_index {
    size_t places;
    uint32_t *number; /* of a thing, from 1; 0: free */
};

struct trend {
    size_t n_groups, n;
    char (*group)[TREND_LABEL_MAX];
    struct trend_point *point;
    struct trend_index groups, points;
    enum status status; /* sticky: STATUS_RANGE too many points, STATUS_NOMEM */
};

void trend_free(struct trend *trend);

/* The number of a group, new or known; 0 when the trend has failed. */
uint32_t trend_group(struct trend *trend, const char *label);
/* One measurement y at key, drawn at x. What is not a number is left out; x and key may be
 * infinite. */
void trend_add(struct trend *trend, uint32_t group, double key, double x, double y);
/* By group, then by key; the last thing to do with it before it is read. */
void trend_sort(struct trend *trend);

/* Half the 95 % interval's width; NAN for one measurement alone. */
double trend_half_width(const struct trend_point *point);
/* The 97.5 % quantile of Student's t, rounded up for freedoms beyond 30. */
double trend_student(uint32_t freedom);

#endif
