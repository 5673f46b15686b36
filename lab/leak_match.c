/* SPDX-License-Identifier: Apache-2.0 */
/* Gradients matched by descent on the pictures (Zhu et al. 2019), with the cosine, the signs and
 * the total variation of Geiping et al. 2020. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/model/optim.h"
#include "lab/leak.h"
#include "lab/match.h"

/* Weight of the mean difference of neighbours beside the distance. */
#define VARIATION 0.1
/* The first step of a pixel; it falls to a tenth at 3/8, 5/8 and 7/8 of the steps. */
#define RATE 0.3F
/* Where pixels start, and their deviation. */
#define START 0.2
#define GRAIN 0.1

bool leak_by_search(const struct model_spec *spec)
{
    return spec->kind == MODEL_CNN || spec->kind == MODEL_TWOCNN;
}

struct search {
    struct match match;
    struct optim optim;
    float *pixel, *x, *step; /* of all pictures: as pixels, as the model reads them, and where to */
};

static void search_free(struct search *s)
{
    match_free(&s->match);
    optim_free(&s->optim);
    free(s->pixel);
    free(s->x);
    free(s->step);
}

static enum status search_new(struct search *s, const struct local *local, const float *vector,
                              const float *known, size_t n)
{
    const struct optim_how how = {.kind = OPTIM_ADAM, .rate = RATE};
    TRY(match_new(&s->match, local, vector, known, n));
    const size_t floats = n * s->match.floats;
    TRY(optim_new(&s->optim, floats, &how));
    s->pixel = calloc(floats, sizeof *s->pixel);
    s->x = calloc(floats, sizeof *s->x);
    s->step = calloc(floats, sizeof *s->step);
    return s->pixel == NULL || s->x == NULL || s->step == NULL ? STATUS_NOMEM : STATUS_OK;
}

static void read_pixels(struct search *s)
{
    const struct study *study = s->match.local->study;
    const double mean = study->model.pixel_mean, deviation = study->model.pixel_deviation;
    for (size_t i = 0; i < s->match.n * s->match.floats; i++)
        s->x[i] = (float)(((double)s->pixel[i] - mean) / deviation);
}

/* --- labels ------------------------------------------------------------------------------------
 * Records move the bias of class c by n_c - p_c, times what they were scaled by: the n_c that have
 * the label, less what the model gives the class. p is read off the pictures that the search starts
 * from. */

struct labels {
    size_t n, classes;
    const float *moved, *known; /* of each class's bias */
    float *given;               /* p */
    uint8_t *label;
};

/* The cosine between what these labels would move and what was moved. */
static double fit(const struct labels *l)
{
    double along = 0, length = 0;
    for (size_t c = 0; c < l->classes; c++) {
        double move = -(double)l->given[c];
        for (size_t k = 0; k < l->n; k++) move += l->label[k] == c;
        move *= (double)l->known[c];
        along += move * (double)l->moved[c];
        length += move * move;
    }
    return length > 0 ? along / sqrt(length) : 0;
}

/* One label after the other the best, until none changes. */
static void fit_labels(const struct labels *l)
{
    double best = fit(l);
    for (bool better = true; better;) {
        better = false;
        for (size_t k = 0; k < l->n; k++)
            for (size_t c = 0; c < l->classes; c++) {
                const uint8_t before = l->label[k];
                l->label[k] = (uint8_t)c;
                const double now = fit(l);
                if (now > best)
                    best = now, better = true;
                else
                    l->label[k] = before;
            }
    }
}

static void find_labels(struct search *s)
{
    struct match *m = &s->match;
    const struct layout *layout = &m->local->model.layout;
    const struct tensor *bias = &layout->tensor[layout->n_tensors - 1];
    const struct labels labels = {.n = m->n,
                                  .classes = m->local->model.spec.classes,
                                  .moved = m->vector + bias->offset,
                                  .known = m->known + bias->offset,
                                  .given = m->grad + bias->offset,
                                  .label = m->label};
    /* All labels are 0 still: the negative gradient of the bias is n - p_0, and -p_c. */
    (void)match_distance(m, s->x);
    for (size_t c = 0; c < labels.classes; c++) labels.given[c] *= -1;
    labels.given[0] += (float)m->n;
    fit_labels(&labels);
}

/* --- pictures ----------------------------------------------------------------------------------
 */

static float sign_of(float x)
{
    return (float)((x > 0) - (x < 0));
}

/* What neighbours differ by, of one channel after the other (Rudin et al. 1992). */
static void add_variation(float *step, const float *pixel, const struct model_spec *spec)
{
    const float one = (float)(VARIATION / ((double)spec->channels * spec->height * spec->width));
    for (uint32_t c = 0; c < spec->channels; c++)
        for (uint32_t i = 0; i < spec->height; i++)
            for (uint32_t j = 0; j < spec->width; j++, pixel++, step++) {
                const uint32_t next[] = {j + 1 < spec->width ? 1 : 0,
                                         i + 1 < spec->height ? spec->width : 0};
                for (unsigned k = 0; k < 2; k++) {
                    const float way = one * sign_of(pixel[0] - pixel[next[k]]);
                    step[0] += way;
                    step[next[k]] -= way;
                }
            }
}

static void walk(struct search *s, uint32_t steps)
{
    const struct match *m = &s->match;
    const struct study *study = m->local->study;
    const size_t n = m->n * m->floats;
    const float scale = (float)(1 / study->model.pixel_deviation);
    for (uint32_t t = 0; t < steps; t++) {
        for (uint32_t k = 3; k < 8; k += 2)
            if (t == (uint64_t)steps * k / 8) s->optim.how.rate *= 0.1F;
        read_pixels(s);
        (void)match_descend(&s->match, s->step, s->x);
        for (size_t i = 0; i < n; i++) s->step[i] *= scale;
        for (size_t k = 0; k < m->n; k++)
            add_variation(s->step + k * m->floats, s->pixel + k * m->floats, &m->local->model.spec);
        for (size_t i = 0; i < n; i++) s->step[i] = sign_of(s->step[i]);
        optim_step(&s->optim, s->pixel, s->step);
        for (size_t i = 0; i < n; i++) s->pixel[i] = fminf(fmaxf(s->pixel[i], 0), 1);
    }
}

enum status leak_match(struct gallery *out, const struct local *local, const float *vector,
                       const float *known, size_t n_records, uint32_t steps, struct rng *rng)
{
    if (!leak_by_search(&local->model.spec) || n_records == 0) return STATUS_RANGE;
    const size_t n = n_records < LEAK_SEARCHED ? n_records : LEAK_SEARCHED;
    AUTO(search_free) struct search s = {0};
    AUTO(gallery_free) struct gallery gallery = {0};
    TRY(gallery_new(&gallery, n, dataset_floats(&local->data)));
    TRY(search_new(&s, local, vector, known, n));
    for (size_t i = 0; i < n * gallery.floats; i++)
        s.pixel[i] = (float)fmin(fmax(START + GRAIN * rng_normal(rng), 0), 1);
    read_pixels(&s);
    find_labels(&s);
    walk(&s, steps);
    memcpy(gallery.pixel, s.pixel, n * gallery.floats * sizeof *gallery.pixel);
    *out = gallery;
    gallery = (struct gallery){0};
    return STATUS_OK;
}
