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
    free(trend->groups.number);
    free(trend->points.number);
    *trend = (struct trend){0};
}

/* --- finding -----------------------------------------------------------------------------------
 */

/* FNV-1a. */
static uint64_t hash_more(uint64_t hash, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001B3;
    return hash;
}

static uint64_t hash_group(const char *name)
{
    return hash_more(0xCBF29CE484222325, name, strlen(name));
}

static uint64_t hash_point(uint32_t group, double key)
{
    return hash_more(hash_more(0xCBF29CE484222325, &group, sizeof group), &key, sizeof key);
}

static uint32_t *place_of(const struct trend_index *index, uint64_t hash, uint64_t step)
{
    return &index->number[((hash ^ hash >> 32) + step) & (index->places - 1)];
}

static uint32_t *find_group(const struct trend *trend, const char *name)
{
    const uint64_t hash = hash_group(name);
    for (uint64_t step = 0;; step++) {
        uint32_t *number = place_of(&trend->groups, hash, step);
        if (*number == 0 || strcmp(trend->group[*number - 1], name) == 0) return number;
    }
}

static bool is_at(const struct trend_point *p, uint32_t group, double key)
{
    return p->group == group && !(p->key < key) && !(p->key > key);
}

static uint32_t *find_point(const struct trend *trend, uint32_t group, double key)
{
    const uint64_t hash = hash_point(group, key);
    for (uint64_t step = 0;; step++) {
        uint32_t *number = place_of(&trend->points, hash, step);
        if (*number == 0 || is_at(&trend->point[*number - 1], group, key)) return number;
    }
}

/* Twice the places, and things for half of them; what is found there is to be put in again.
 * STATUS_NOMEM: there are as many as before. */
static enum status widen(struct trend_index *index, void **things, size_t bytes)
{
    const size_t places = index->places == 0 ? 64 : 2 * index->places;
    void *more = realloc(*things, places / 2 * bytes);
    if (more == NULL) return STATUS_NOMEM;
    *things = more;
    uint32_t *number = calloc(places, sizeof *number);
    if (number == NULL) return STATUS_NOMEM;
    free(index->number);
    *index = (struct trend_index){places, number};
    return STATUS_OK;
}

static bool is_full(const struct trend_index *index, size_t n)
{
    return 2 * n == index->places;
}

static enum status widen_groups(struct trend *t)
{
    void *group = t->group;
    const enum status status = widen(&t->groups, &group, sizeof *t->group);
    t->group = group;
    TRY(status);
    for (uint32_t i = 0; i < t->n_groups; i++) *find_group(t, t->group[i]) = i + 1;
    return STATUS_OK;
}

static enum status widen_points(struct trend *t)
{
    void *point = t->point;
    const enum status status = widen(&t->points, &point, sizeof *t->point);
    t->point = point;
    TRY(status);
    for (uint32_t i = 0; i < t->n; i++) *find_point(t, t->point[i].group, t->point[i].key) = i + 1;
    return STATUS_OK;
}

/* --- adding ------------------------------------------------------------------------------------
 */

uint32_t trend_group(struct trend *trend, const char *label)
{
    char name[TREND_LABEL_MAX];
    document_cut(name, sizeof name, label);
    if (trend->status == STATUS_OK && is_full(&trend->groups, trend->n_groups))
        trend->status = widen_groups(trend);
    if (trend->status != STATUS_OK) return 0;
    uint32_t *number = find_group(trend, name);
    if (*number == 0) {
        memcpy(trend->group[trend->n_groups], name, sizeof name);
        *number = (uint32_t)++trend->n_groups;
    }
    return *number - 1;
}

static enum status point_at(struct trend_point **out, struct trend *trend, uint32_t group,
                            double key)
{
    if (is_full(&trend->points, trend->n)) TRY(widen_points(trend));
    uint32_t *number = find_point(trend, group, key);
    if (*number == 0 && trend->n == TREND_POINTS_MAX) return STATUS_RANGE;
    if (*number == 0) {
        trend->point[trend->n] =
            (struct trend_point){.group = group, .key = key, .most = -(double)INFINITY};
        *number = (uint32_t)++trend->n;
    }
    *out = &trend->point[*number - 1];
    return STATUS_OK;
}

void trend_add(struct trend *trend, uint32_t group, double key, double x, double y)
{
    if (!isfinite(y) || isnan(key) || isnan(x) || trend->status != STATUS_OK) return;
    struct trend_point *p = NULL;
    trend->status = point_at(&p, trend, group, key + 0.0); /* -0 is 0 */
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
