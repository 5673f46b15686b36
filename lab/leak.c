/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/leak.h"

#include <math.h>
#include <stdlib.h>

enum status gallery_new(struct gallery *out, size_t n, size_t floats)
{
    if (n == 0 || floats == 0 || floats > LEAK_FLOATS_MAX / n) return STATUS_RANGE;
    float *pixel = calloc(n, floats * sizeof *pixel);
    if (pixel == NULL) return STATUS_NOMEM;
    *out = (struct gallery){.n = n, .floats = floats, .pixel = pixel};
    return STATUS_OK;
}

void gallery_free(struct gallery *gallery)
{
    free(gallery->pixel);
    *gallery = (struct gallery){0};
}

bool leak_by_formula(const struct model_spec *spec)
{
    return spec->kind == MODEL_MLP;
}

/* What the model reads, as a pixel. */
static float pixel_of(const struct local *local, double x)
{
    const double p = x * local->study->model.pixel_deviation + local->study->model.pixel_mean;
    return (float)fmin(fmax(p, 0), 1); /* fmax takes 0 for what is no number */
}

/* The first layer's part of a vector. */
struct first_layer {
    size_t units, inputs;
    const float *weight, *bias; /* of the gradient */
    const float *known;         /* 1 where a weight is, else 0 */
};

/* Least squares: x_j = sum of b_i W_ij over sum of b_i^2, over the units that know input j. */
static void fit_all(float *x, const struct first_layer *layer)
{
    for (size_t j = 0; j < layer->inputs; j++) {
        double above = 0, below = 0;
        for (size_t i = 0; i < layer->units; i++) {
            const double known = (double)layer->known[i * layer->inputs + j];
            const double b = known * (double)layer->bias[i];
            above += b * (double)layer->weight[i * layer->inputs + j];
            below += b * b;
        }
        x[j] = below > 0 ? (float)(above / below) : 0;
    }
}

/* The largest |bias| first. */
static int by_size(const void *a, const void *b)
{
    const float *const *x = a, *const *y = b;
    const float difference = fabsf(**y) - fabsf(**x);
    return (difference > 0) - (difference < 0);
}

/* The units that say something, best first; returns how many. */
static size_t rank_units(const float **rank, const struct first_layer *layer)
{
    size_t n = 0;
    for (size_t i = 0; i < layer->units; i++)
        if (layer->bias[i] != 0) rank[n++] = &layer->bias[i];
    if (n > 0) qsort(rank, n, sizeof *rank, by_size);
    return n < LEAK_UNITS ? n : LEAK_UNITS;
}

enum status leak_dense(struct gallery *out, const struct local *local, const float *vector,
                       const float *known)
{
    if (!leak_by_formula(&local->model.spec)) return STATUS_RANGE;
    const struct tensor *weight = &local->model.layout.tensor[0], *bias = weight + 1;
    const struct first_layer layer = {.units = weight->rows,
                                      .inputs = weight->cols,
                                      .weight = vector + weight->offset,
                                      .bias = vector + bias->offset,
                                      .known = known + weight->offset};
    const float **rank = calloc(layer.units, sizeof *rank);
    if (rank == NULL) return STATUS_NOMEM;
    const size_t n = rank_units(rank, &layer);
    AUTO(gallery_free) struct gallery gallery = {0};
    const enum status status = gallery_new(&gallery, n + 1, layer.inputs);
    if (status == STATUS_OK) fit_all(gallery.pixel, &layer);
    for (size_t k = 0; k < n && status == STATUS_OK; k++) {
        const size_t i = (size_t)(rank[k] - layer.bias);
        float *x = gallery.pixel + (k + 1) * layer.inputs;
        for (size_t j = 0; j < layer.inputs; j++) {
            const size_t at = i * layer.inputs + j;
            x[j] = layer.known[at] > 0 ? layer.weight[at] / layer.bias[i] : gallery.pixel[j];
        }
    }
    free(rank);
    TRY(status);
    for (size_t i = 0; i < gallery.n * gallery.floats; i++)
        gallery.pixel[i] = pixel_of(local, (double)gallery.pixel[i]);
    *out = gallery;
    gallery = (struct gallery){0};
    return STATUS_OK;
}
