/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/score.h"

#include <math.h>
#include <stdlib.h>

#include "client/model/loss.h"

#define CLASSES_MAX 256 /* of an 8-bit label */

struct ranked {
    double value;
    bool positive;
};

static int by_value(const void *a, const void *b)
{
    const double x = ((const struct ranked *)a)->value, y = ((const struct ranked *)b)->value;
    return (x > y) - (x < y);
}

/* Twice the number of pairs that are in order, a tie being half a pair. */
static uint64_t count_pairs(const struct ranked *at, size_t n)
{
    uint64_t twice = 0, below = 0; /* negatives of smaller value */
    for (size_t i = 0, end = 0; i < n; i = end) {
        uint64_t positives = 0, negatives = 0;
        for (end = i; end < n && !(at[end].value > at[i].value); end++) {
            positives += at[end].positive;
            negatives += !at[end].positive;
        }
        twice += positives * (2 * below + negatives);
        below += negatives;
    }
    return twice;
}

enum status score_auc(double *out, const double *value, const uint8_t *positive, size_t n)
{
    struct ranked *at = calloc(n + 1, sizeof *at);
    if (at == NULL) return STATUS_NOMEM;
    uint64_t positives = 0;
    for (size_t i = 0; i < n; i++) {
        at[i] = (struct ranked){value[i], positive[i] != 0};
        positives += at[i].positive;
    }
    qsort(at, n, sizeof *at, by_value);
    const uint64_t pairs = positives * (n - positives);
    *out = pairs == 0 ? (double)NAN : (double)count_pairs(at, n) / (2 * (double)pairs);
    free(at);
    return STATUS_OK;
}

/* What is counted while the records go by. */
struct tallied {
    size_t seen[CLASSES_MAX], right[CLASSES_MAX];
    double loss;
    double *margin; /* n, of two classes */
    float *delta;   /* LOCAL_CHUNK rows, scratch */
};

static void tallied_free(struct tallied *t)
{
    free(t->margin);
    free(t->delta);
}

static void count(struct tallied *t, struct local *test, size_t first, size_t n)
{
    const size_t classes = test->model.spec.classes;
    uint32_t record[LOCAL_CHUNK];
    for (size_t i = 0; i < n; i++) record[i] = (uint32_t)(first + i);
    const float *output = local_forward(test, &test->data, record, n);
    t->loss += loss_softmax(t->delta, output, test->label, n, classes);
    for (size_t i = 0; i < n; i++, output += classes) {
        const uint8_t label = test->label[i];
        t->seen[label]++;
        t->right[label] += loss_hits(output, &label, 1, classes);
        if (classes == 2) t->margin[first + i] = (double)output[1] - (double)output[0];
    }
}

static void summarize(struct score *out, const struct tallied *t)
{
    size_t right = 0, classes = 0;
    double recalls = 0;
    for (size_t k = 0; k < CLASSES_MAX; k++) {
        if (t->seen[k] == 0) continue;
        right += t->right[k];
        classes++;
        recalls += (double)t->right[k] / (double)t->seen[k];
    }
    out->accuracy = (double)right / (double)out->n;
    out->balanced = recalls / (double)classes;
    out->loss = t->loss / (double)out->n;
}

enum status score_state(struct score *out, struct local *test, const struct state *state)
{
    const size_t n = test->data.n;
    AUTO(tallied_free) struct tallied t = {0};
    TRY(local_load(test, state));
    t.margin = calloc(n, sizeof *t.margin);
    t.delta = calloc(LOCAL_CHUNK * (size_t)test->model.spec.classes, sizeof *t.delta);
    if (t.margin == NULL || t.delta == NULL) return STATUS_NOMEM;
    for (size_t at = 0; at < n; at += LOCAL_CHUNK)
        count(&t, test, at, n - at < LOCAL_CHUNK ? n - at : LOCAL_CHUNK);
    struct score score = {.n = n, .auc = (double)NAN};
    summarize(&score, &t);
    if (test->model.spec.classes == 2) TRY(score_auc(&score.auc, t.margin, test->data.label, n));
    *out = score;
    return STATUS_OK;
}
