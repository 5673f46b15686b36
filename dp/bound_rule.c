/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that make counts from scores without looking at what they will prove. */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "dp/bound.h"

static void free_doubles(double **p)
{
    free(*p);
}

static bool has_nan(const double *score, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (isnan(score[i])) return true;
    return false;
}

struct ranked {
    double score;
    uint32_t place;
};

static void free_ranked(struct ranked **p)
{
    free(*p);
}

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

enum status bound_guess(struct bound_run *out, const double *score, const bool *included,
                        uint32_t n, uint32_t guesses)
{
    if (n == 0 || n > TAIL_COUNT_MAX || guesses > n || guesses % 2 != 0 || has_nan(score, n))
        return STATUS_RANGE;
    AUTO(free_ranked) struct ranked *rank = calloc(n, sizeof *rank);
    if (rank == NULL) return STATUS_NOMEM;
    for (uint32_t i = 0; i < n; i++) rank[i] = (struct ranked){score[i], i};
    qsort(rank, n, sizeof *rank, by_rank);
    uint32_t correct = 0;
    for (uint32_t i = 0; i < guesses / 2; i++) {
        if (!included[rank[i].place]) correct++;
        if (included[rank[n - 1 - i].place]) correct++;
    }
    *out = (struct bound_run){n, guesses, correct};
    return STATUS_OK;
}

static int by_score(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Scores at or above the threshold, at places first, first + 2, ... */
static uint32_t count_above(const double *score, uint32_t n, uint32_t first, double threshold)
{
    uint32_t count = 0;
    for (uint32_t i = first; i < n; i += 2) count += score[i] >= threshold;
    return count;
}

struct scores {
    const double *negative, *positive;
    uint32_t n_negative, n_positive;
};

static struct bound_trials count_trials(const struct scores *s, uint32_t first, double threshold)
{
    const uint32_t negatives = (s->n_negative - first + 1) / 2;
    const uint32_t positives = (s->n_positive - first + 1) / 2;
    return (struct bound_trials){
        count_above(s->negative, s->n_negative, first, threshold), negatives,
        positives - count_above(s->positive, s->n_positive, first, threshold), positives};
}

/* The scores at even places, sorted; n of them. */
static double *choosers_new(const struct scores *s, size_t *n)
{
    const size_t most = ((size_t)s->n_negative + 1) / 2 + ((size_t)s->n_positive + 1) / 2;
    double *sorted = calloc(most, sizeof *sorted);
    if (sorted == NULL) return NULL;
    size_t at = 0;
    for (uint32_t i = 0; i < s->n_negative; i += 2) sorted[at++] = s->negative[i];
    for (uint32_t i = 0; i < s->n_positive; i += 2) sorted[at++] = s->positive[i];
    qsort(sorted, at, sizeof *sorted, by_score);
    *n = at;
    return sorted;
}

enum status bound_split(struct bound_trials *out, const double *negative, uint32_t n_negative,
                        const double *positive, uint32_t n_positive, bound_of_trials *bound,
                        const struct bound_level *level)
{
    if (n_negative < 2 || n_negative > TAIL_COUNT_MAX || n_positive < 2 ||
        n_positive > TAIL_COUNT_MAX || has_nan(negative, n_negative) ||
        has_nan(positive, n_positive))
        return STATUS_RANGE;
    const struct scores scores = {negative, positive, n_negative, n_positive};
    size_t n = 0;
    AUTO(free_doubles) double *sorted = choosers_new(&scores, &n);
    if (sorted == NULL) return STATUS_NOMEM;
    double best = -1.0, threshold = 0.0;
    for (size_t i = 0; i < BOUND_SPLIT_CANDIDATES; i++) {
        const double candidate = sorted[(2 * i + 1) * n / (2 * BOUND_SPLIT_CANDIDATES)];
        const struct bound_trials chosen = count_trials(&scores, 0, candidate);
        double epsilon = 0.0;
        TRY(bound(&epsilon, &chosen, level));
        if (epsilon > best) {
            best = epsilon;
            threshold = candidate;
        }
    }
    *out = count_trials(&scores, 1, threshold);
    return STATUS_OK;
}
