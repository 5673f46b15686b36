/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/trend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lab/document.h"

void trend_free(struct trend *trend)
{
    free(trend->group);
    free(trend->point);
    *trend = (struct trend){0};
}

uint32_t trend_group(struct trend *trend, const char *label)
{
    char name[TREND_LABEL_MAX];
    document_cut(name, sizeof name, label);
    for (size_t i = trend->n_groups; i-- > 0;)
        if (strcmp(trend->group[i], name) == 0) return (uint32_t)i;
    if (trend->status != STATUS_OK) return 0;
    if (trend->group == NULL) trend->group = calloc(TREND_GROUPS_MAX, sizeof *trend->group);
    if (trend->group == NULL || trend->n_groups == TREND_GROUPS_MAX) {
        trend->status = trend->group == NULL ? STATUS_NOMEM : STATUS_RANGE;
        return 0;
    }
    memcpy(trend->group[trend->n_groups], name, sizeof name);
    return (uint32_t)trend->n_groups++;
}

static bool is_at(const struct trend_point *p, uint32_t group, double key)
{
    return p->group == group && !(p->key < key) && !(p->key > key);
}

static struct trend_point *grow(struct trend *trend)
{
    if (trend->n == trend->room) {
        const size_t room = trend->room == 0 ? 64 : 2 * trend->room;
        struct trend_point *more =
            room > TREND_POINTS_MAX ? NULL : realloc(trend->point, room * sizeof *more);
        if (more == NULL) {
            trend->status = room > TREND_POINTS_MAX ? STATUS_RANGE : STATUS_NOMEM;
            return NULL;
        }
        trend->point = more;
        trend->room = room;
    }
    return &trend->point[trend->n++];
}

/* Measurements come in the order of their places, so it is mostly the one after the last. */
static struct trend_point *find(struct trend *trend, uint32_t group, double key)
{
    for (size_t ahead = 0; ahead < trend->n; ahead++) {
        const size_t i = (trend->last + 1 + ahead) % trend->n;
        if (is_at(&trend->point[i], group, key)) {
            trend->last = i;
            return &trend->point[i];
        }
    }
    struct trend_point *p = grow(trend);
    if (p == NULL) return NULL;
    *p = (struct trend_point){.group = group, .key = key, .most = -(double)INFINITY};
    trend->last = trend->n - 1;
    return p;
}

void trend_add(struct trend *trend, uint32_t group, double key, double x, double y)
{
    if (!isfinite(y) || isnan(key) || isnan(x) || trend->status != STATUS_OK) return;
    struct trend_point *p = find(trend, group, key);
    if (p == NULL) return;
    const double off = y - p->mean;
    p->n++;
    p->mean += off / p->n;
    p->squares += off * (y - p->mean);
    p->x = isfinite(x) && p->n > 1 ? p->x + (x - p->x) / p->n : x;
    p->most = fmax(p->most, y);
}

static int compare(const void *a, const void *b)
{
    const struct trend_point *p = a, *q = b;
    if (p->group != q->group) return p->group < q->group ? -1 : 1;
    return p->key < q->key ? -1 : p->key > q->key ? 1 : 0;
}

void trend_sort(struct trend *trend)
{
    if (trend->n > 0) qsort(trend->point, trend->n, sizeof *trend->point, compare);
}

double trend_student(uint32_t freedom)
{
    static const double t[] = {12.707, 4.303, 3.183, 2.777, 2.571, 2.447, 2.365, 2.307,
                               2.263,  2.229, 2.201, 2.179, 2.161, 2.145, 2.132, 2.120,
                               2.110,  2.101, 2.094, 2.086, 2.080, 2.074, 2.069, 2.064,
                               2.060,  2.056, 2.052, 2.049, 2.046, 2.043};
    const uint32_t n = sizeof t / sizeof *t;
    return freedom == 0 ? (double)NAN : t[freedom < n ? freedom - 1 : n - 1];
}

double trend_half_width(const struct trend_point *point)
{
    if (point->n < 2) return (double)NAN;
    return trend_student(point->n - 1) * sqrt(point->squares / (point->n - 1) / point->n);
}
