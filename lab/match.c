/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/match.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void match_free(struct match *match)
{
    model_work_free(&match->work);
    free(match->label);
    free(match->grad);
    free(match->nudged);
    free(match->slope);
    *match = (struct match){0};
}

static double length_of(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

enum status match_new(struct match *out, const struct local *local, const float *vector,
                      const float *known, size_t n)
{
    const struct model *model = &local->model;
    AUTO(match_free)
    struct match m = {.local = local,
                      .vector = vector,
                      .known = known,
                      .length = length_of(vector, model->layout.n),
                      .nudge = MATCH_NUDGE,
                      .n = n,
                      .floats = dataset_floats(&local->data)};
    TRY(model_work_new(&m.work, model, n));
    m.label = calloc(n, sizeof *m.label);
    m.grad = calloc(model->layout.n, sizeof *m.grad);
    m.nudged = calloc(model->layout.n, sizeof *m.nudged);
    m.slope = calloc(n, m.floats * sizeof *m.slope);
    if (m.label == NULL || m.grad == NULL || m.nudged == NULL || m.slope == NULL)
        return STATUS_NOMEM;
    *out = m;
    m = (struct match){0};
    return STATUS_OK;
}

static void pass(struct match *m, const float *weights, const float *x)
{
    (void)model_forward(&m->local->model, m->work, weights, x, m->n);
    (void)model_backward(&m->local->model, m->work, weights, m->label, m->n);
}

/* Also the length of the gradient. */
static double distance(struct match *m, double *length, const float *x)
{
    const size_t size = m->local->model.layout.n;
    pass(m, m->local->weight, x);
    model_grad_sum(&m->local->model, m->work, m->grad);
    double along = 0;
    for (size_t i = 0; i < size; i++) {
        m->grad[i] *= -m->known[i];
        along += (double)m->grad[i] * (double)m->vector[i];
    }
    *length = length_of(m->grad, size);
    return *length > 0 && m->length > 0 ? 1 - along / (*length * m->length) : 1;
}

double match_distance(struct match *match, const float *x)
{
    double length;
    return distance(match, &length, x);
}

double match_descend(struct match *match, float *step, const float *x)
{
    const struct model *model = &match->local->model;
    const float *weight = match->local->weight;
    const size_t size = model->layout.n, n = match->n * match->floats;
    double length;
    const double far = distance(match, &length, x);
    memset(step, 0, n * sizeof *step);
    float *u = match->grad; /* times the gradient's length */
    for (size_t i = 0; i < size; i++)
        u[i] = (float)((double)match->vector[i] / match->length -
                       (1 - far) * (double)match->grad[i] / length);
    const double along = length_of(u, size);
    if (!(along > 0)) return far; /* also where one of both has no direction: it is no number */
    const double h = match->nudge * length_of(weight, size) / along;
    for (int sign = 1; sign >= -1; sign -= 2) {
        for (size_t i = 0; i < size; i++) match->nudged[i] = weight[i] + (float)(sign * h) * u[i];
        pass(match, match->nudged, x);
        model_grad_input(model, match->work, match->nudged, match->slope);
        for (size_t i = 0; i < n; i++)
            step[i] += (float)(sign * (double)match->slope[i] / (2 * h * length));
    }
    return far;
}
