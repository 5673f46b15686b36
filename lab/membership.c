/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/membership.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "dp/tail.h"

/* Where all references agree, a deviation of zero: any difference counts as very large. */
#define DEVIATION_LEAST 1e-30

static void free_doubles(double **p)
{
    free(*p);
}

double membership_margin(const float *logit, uint8_t label, size_t classes)
{
    double most = -HUGE_VAL, sum = 0;
    for (size_t k = 0; k < classes; k++)
        if (k != label) most = fmax(most, (double)logit[k]);
    for (size_t k = 0; k < classes; k++)
        if (k != label) sum += exp((double)logit[k] - most);
    return (double)logit[label] - most - log(sum);
}

enum status membership_new(struct membership *out, size_t n, uint32_t n_references)
{
    AUTO(membership_free) struct membership m = {.n = n, .n_references = n_references};
    m.target = calloc(n, sizeof *m.target);
    m.reference = calloc(n, n_references * sizeof *m.reference);
    m.seen = calloc(n, n_references * sizeof *m.seen);
    if (m.target == NULL || m.reference == NULL || m.seen == NULL) return STATUS_NOMEM;
    *out = m;
    m = (struct membership){0};
    return STATUS_OK;
}

void membership_free(struct membership *m)
{
    free(m->target);
    free(m->reference);
    free(m->seen);
    *m = (struct membership){0};
}

/* --- scores ------------------------------------------------------------------------------------
 */

/* Of the references that have not seen a record. */
struct unseen {
    uint32_t n;
    double mean, squares; /* of margins, and the sum of their squared distances from it */
    double chance;        /* mean probability of its label */
};

static struct unseen look(const struct membership *m, size_t record)
{
    struct unseen u = {0};
    for (uint32_t k = 0; k < m->n_references; k++) {
        const size_t at = k * m->n + record;
        if (m->seen[at]) continue;
        const double step = m->reference[at] - u.mean;
        u.n++;
        u.mean += step / u.n;
        u.squares += step * (m->reference[at] - u.mean);
        u.chance += (tail_rate(m->reference[at]) - u.chance) / u.n;
    }
    return u;
}

/* Whether every record has so many references that have not seen it. */
static bool each_has(const struct membership *m, uint32_t references)
{
    for (size_t i = 0; i < m->n; i++)
        if (look(m, i).n < references) return false;
    return true;
}

enum status membership_lira(double *score, const struct membership *m)
{
    if (!each_has(m, 1)) return STATUS_RANGE;
    const bool own = each_has(m, MEMBERSHIP_OWN_DEVIATION);
    double squares = 0, freedom = 0;
    for (size_t i = 0; i < m->n; i++) {
        const struct unseen u = look(m, i);
        squares += u.squares;
        freedom += u.n - 1;
    }
    if (!(freedom > 0)) return STATUS_RANGE;
    for (size_t i = 0; i < m->n; i++) {
        const struct unseen u = look(m, i);
        const double deviation = sqrt(own ? u.squares / (u.n - 1) : squares / freedom);
        score[i] = (m->target[i] - u.mean) / (deviation + DEVIATION_LEAST);
    }
    return STATUS_OK;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* How many of n sorted values are below x. */
static size_t count_below(const double *sorted, size_t n, double x)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (sorted[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static double ratio(const struct membership *m, size_t record, double a)
{
    const double mean = ((1 + a) * look(m, record).chance + 1 - a) / 2;
    return tail_rate(m->target[record]) / fmax(mean, DBL_MIN);
}

enum status membership_rmia(double *score, const struct membership *m, double a)
{
    if (!each_has(m, 1)) return STATUS_RANGE;
    AUTO(free_doubles) double *sorted = calloc(m->n, sizeof *sorted);
    if (sorted == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < m->n; i++) sorted[i] = ratio(m, i, a);
    qsort(sorted, m->n, sizeof *sorted, by_value);
    for (size_t i = 0; i < m->n; i++)
        score[i] = (double)count_below(sorted, m->n, ratio(m, i, a)) / (double)m->n;
    return STATUS_OK;
}

/* --- how well they tell ------------------------------------------------------------------------
 */

struct ranked {
    double score;
    bool member;
};

static void free_ranked(struct ranked **p)
{
    free(*p);
}

static int by_rank(const void *a, const void *b) /* the highest score first */
{
    const double x = ((const struct ranked *)a)->score, y = ((const struct ranked *)b)->score;
    return (x < y) - (x > y);
}

static bool has_nan(const double *score, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(score[i])) return true;
    return false;
}

static size_t count_members(const uint8_t *member, size_t n)
{
    size_t members = 0;
    for (size_t i = 0; i < n; i++) members += member[i] != 0;
    return members;
}

/* The next number of false positives that is looked at: one more, or a factor where that is more,
 * so that there are no more steps than places. */
static size_t next_stop(size_t at, size_t last)
{
    const double factor = pow((double)last + 1, 1.0 / (MEMBERSHIP_ROC_MAX / 2));
    const size_t next = (size_t)ceil((double)at * factor);
    return next > at ? next : at + 1;
}

enum status membership_roc(struct membership_roc *out, const double *score, const uint8_t *member,
                           size_t n)
{
    const size_t members = count_members(member, n), others = n - members;
    if (members == 0 || others == 0 || has_nan(score, n)) return STATUS_RANGE;
    AUTO(free_ranked) struct ranked *at = calloc(n, sizeof *at);
    if (at == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < n; i++) at[i] = (struct ranked){score[i], member[i] != 0};
    qsort(at, n, sizeof *at, by_rank);
    out->n = 0;
    size_t hits = 0, false_hits = 0, stop = 0;
    for (size_t i = 0; i < n;) {
        /* Equal scores are called alike. */
        size_t end = i, more = 0, more_false = 0;
        for (; end < n && !(at[end].score < at[i].score); end++) {
            more += at[end].member;
            more_false += !at[end].member;
        }
        if (false_hits + more_false > stop) { /* the best that there is up to the stop */
            REQUIRE(out->n < MEMBERSHIP_ROC_MAX - 1);
            out->fpr[out->n] = (double)false_hits / (double)others;
            out->tpr[out->n++] = (double)hits / (double)members;
            while (stop < false_hits + more_false) stop = next_stop(stop, others);
        }
        hits += more;
        false_hits += more_false;
        i = end;
    }
    out->fpr[out->n] = out->tpr[out->n] = 1;
    out->n++;
    return STATUS_OK;
}

static double limit(uint32_t hits, uint32_t n, double chance)
{
    return tail_rate(tail_binomial_limit(hits, n, chance));
}

/* Scores of every second nonmember, from the first one or the second on. */
static size_t take_others(double *out, const double *score, const uint8_t *member, size_t n,
                          size_t first)
{
    size_t seen = 0, taken = 0;
    for (size_t i = 0; i < n; i++)
        if (member[i] == 0 && seen++ % 2 == first) out[taken++] = score[i];
    return taken;
}

/* Nonmembers in all of which the half that chooses may call one a member. */
static uint32_t needed(double target)
{
    return 2 * (uint32_t)ceil(1 / target - 1e-9);
}

enum status membership_point(struct membership_point *out, const double *score,
                             const uint8_t *member, size_t n, double target, double confidence)
{
    const size_t members = count_members(member, n), others = n - members;
    if (members == 0 || members > TAIL_COUNT_MAX || others < 2 || others > TAIL_COUNT_MAX ||
        has_nan(score, n))
        return STATUS_RANGE;
    AUTO(free_doubles) double *held = calloc(others, sizeof *held);
    if (held == NULL) return STATUS_NOMEM;
    const size_t choosers = take_others(held, score, member, n, 0);
    const size_t allowed = (size_t)(target * (double)choosers + 1e-9);
    *out = (struct membership_point){.target = target, .needed = needed(target)};
    if (allowed == 0) return STATUS_OK;
    qsort(held, choosers, sizeof *held, by_value);
    out->threshold = held[choosers - 1 - allowed];
    out->nonmembers = (uint32_t)take_others(held, score, member, n, 1);
    out->members = (uint32_t)members;
    for (size_t i = 0; i < out->nonmembers; i++) out->false_positives += held[i] > out->threshold;
    for (size_t i = 0; i < n; i++)
        out->true_positives += member[i] != 0 && score[i] > out->threshold;
    const double chance = (1 - confidence) / 2;
    out->measured = true;
    out->fpr = (double)out->false_positives / out->nonmembers;
    out->tpr = (double)out->true_positives / out->members;
    out->tpr_high = limit(out->true_positives, out->members, chance);
    out->tpr_low = 1 - limit(out->members - out->true_positives, out->members, chance);
    return STATUS_OK;
}
