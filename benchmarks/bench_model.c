/* SPDX-License-Identifier: Apache-2.0 */
/* How fast a model learns: bench_model KIND MODE BATCH THREADS SECONDS prints the images per second
 * of the best step, by the processor time of all threads and by the clock on the wall, and those
 * that no step on one thread can exceed for the products of matrices in it.
 *
 * Modes: batch, a step of gradient descent; record, each record's gradient by itself, clipped,
 * rounded and added as a site does it. torch_beside.py runs it beside PyTorch.
 *
 * bench_model KIND shares BATCH THREADS SECONDS prints, for shares of the hidden units that pruning
 * leaves, the processor time of a batch step and its multiply-accumulates over those of all. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crew.h"
#include "benchmarks/bench.h"
#include "client/model/model.h"
#include "client/model/optim.h"
#include "client/model/tensor.h"
#include "client/submit.h"
#include "protocol/layout_cost.h"

#define CLIP 1.0

static const struct {
    const char *name;
    struct model_spec spec;
} kinds[] = {
    {"mlp", {.kind = MODEL_MLP, 1, 28, 28, 10, 2, {200, 200}}},
    {"cnn", {.kind = MODEL_CNN, 1, 28, 28, 10, 2, {8, 16}}},
    {"twocnn", {.kind = MODEL_TWOCNN, 1, 24, 24, 10, 3, {32, 64, 512}}},
    {"vit",
     {.kind = MODEL_VIT,
      .channels = 1,
      .height = 28,
      .width = 28,
      .classes = 10,
      .patch = 7,
      .dim = 64,
      .depth = 12,
      .heads = 4,
      .mlp = 128}},
};

struct run {
    struct model model;
    struct model_work *work;
    struct optim optim;
    struct grid grid;
    struct grid_sum sum;
    size_t n; /* records of a step */
    float *weight, *grad, *x;
    uint8_t *label;
};

static void *numbers(size_t n, size_t bytes)
{
    void *at = calloc(n, bytes);
    if (at == NULL) bench_must(STATUS_NOMEM);
    return at;
}

static void run_new(struct run *run, const struct model_spec *spec, size_t n, unsigned threads)
{
    run->n = n;
    bench_must(model_of(&run->model, spec));
    bench_must(model_work_new(&run->work, &run->model, n));
    bench_must(model_work_divide(run->work, &run->model, threads));
    const size_t d = run->model.layout.n;
    const size_t floats = n * spec->channels * spec->height * spec->width;
    bench_must(optim_new(&run->optim, d, &(struct optim_how){.rate = 0.01f}));
    const struct grid_goal goal = {.clip = CLIP, .dim = d, .n_sites = 10, .bits = 32, .crowd = 64};
    bench_must(grid_plan(&run->grid, &goal));
    bench_must(grid_sum_new(&run->sum, d, &run->grid, GRID_NEAREST));
    run->weight = numbers(d, sizeof *run->weight);
    run->grad = numbers(d, sizeof *run->grad);
    run->x = numbers(floats, sizeof *run->x);
    run->label = numbers(n, 1);
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    model_init(run->weight, &run->model, &rng);
    for (size_t i = 0; i < floats; i++) run->x[i] = (float)rng_normal(&rng);
    for (size_t i = 0; i < n; i++) run->label[i] = (uint8_t)rng_below(&rng, spec->classes);
}

static void run_free(struct run *run)
{
    model_work_free(&run->work);
    optim_free(&run->optim);
    grid_sum_free(&run->sum);
    free(run->weight);
    free(run->grad);
    free(run->x);
    free(run->label);
}

static void step_batch(struct run *run)
{
    const size_t d = run->model.layout.n;
    (void)model_forward(&run->model, run->work, run->weight, run->x, run->n);
    (void)model_backward(&run->model, run->work, run->weight, run->label, run->n);
    model_grad_sum(&run->model, run->work, run->grad);
    for (size_t i = 0; i < d; i++) run->grad[i] /= (float)run->n;
    optim_step(&run->optim, run->weight, run->grad);
}

static void step_record(struct run *run)
{
    const struct model_spec *spec = &run->model.spec;
    const size_t floats = (size_t)spec->channels * spec->height * spec->width;
    const size_t group = model_group(&run->model);
    for (size_t at = 0; at < run->n; at += group) {
        const size_t n = run->n - at < group ? run->n - at : group;
        (void)model_forward_apart(&run->model, run->work, run->weight, run->x + at * floats, n);
        (void)model_backward(&run->model, run->work, run->weight, run->label + at, n);
        for (size_t i = 0; i < n; i++) {
            const struct update update = model_descent(&run->model, run->work, i, run->grad);
            bench_must(submit_contribution(&run->sum, NULL, &update, CLIP, &run->grid, NULL));
        }
    }
}

/* Multiply-accumulates per second of one thread in the best of some large products. */
static double products_speed(void)
{
    enum { SIDE = 512, TIMES = 20 };
    float *at = numbers(3 * SIDE * SIDE, sizeof *at);
    const struct matrix a = tensor_view(at, SIDE, SIDE),
                        b = tensor_view(a.at + SIDE * SIDE, SIDE, SIDE);
    double best = 0;
    for (int time = 0; time < TIMES; time++) {
        const double used = bench_seconds();
        tensor_product(at + 2 * SIDE * SIDE, a, b, false);
        const double cost = bench_seconds() - used;
        if (best == 0 || cost < best) best = cost;
    }
    free(at);
    return (double)SIDE * SIDE * SIDE / best;
}

/* How often a record goes through the weights of the first layer. */
static double places_of_first(const struct model_spec *spec)
{
    struct layout_maps maps[LAYOUT_CONVS];
    if (spec->kind == MODEL_MLP) return 1;
    if (spec->kind == MODEL_VIT) return (double)(layout_tokens(spec) - 1);
    REQUIRE(layout_maps_of(maps, spec));
    return (double)maps[0].map_height * maps[0].map_width;
}

/* A record goes forward, back to the inputs, and to the gradient: three times the same
 * multiplications, but for the inputs of the first layer, which nobody asks for. */
static double most_images(const struct model *model)
{
    const struct tensor *first = &model->layout.tensor[0];
    const double unasked = (double)first->rows * first->cols * places_of_first(&model->spec);
    return products_speed() / (3 * (double)layout_macs(&model->spec) - unasked);
}

static double wall_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void measure(struct run *run, void (*step)(struct run *), double seconds)
{
    double processor = 0, wall = 0; /* of the best step */
    const double end = wall_seconds() + seconds;
    step(run); /* the pages come before the clock runs */
    do {
        const double used = bench_seconds(), now = wall_seconds();
        step(run);
        const double cost = bench_seconds() - used, time = wall_seconds() - now;
        if (processor == 0 || cost < processor) processor = cost;
        if (wall == 0 || time < wall) wall = time;
    } while (wall_seconds() < end);
    printf("%.1f,%.1f,%.1f\n", (double)run->n / processor, (double)run->n / wall,
           most_images(&run->model));
}

static const double shares[] = {1, 0.7, 0.5, 0.1};
#define SHARES (sizeof shares / sizeof shares[0])

/* By turns, so that all see the same load of the machine. */
static void measure_shares(const char *name, const struct model_spec *spec, size_t n,
                           unsigned threads, double seconds)
{
    struct run run[SHARES] = {0};
    double best[SHARES] = {0};
    for (size_t i = 0; i < SHARES; i++) {
        struct model_spec small = *spec;
        for (uint32_t l = 0; l < spec->n_hidden; l++)
            small.hidden[l] = (uint32_t)ceil(shares[i] * spec->hidden[l]);
        run_new(&run[i], &small, n, threads);
        step_batch(&run[i]);
    }
    const double end = wall_seconds() + seconds;
    do {
        for (size_t i = 0; i < SHARES; i++) {
            const double used = bench_seconds();
            step_batch(&run[i]);
            const double cost = bench_seconds() - used;
            if (best[i] == 0 || cost < best[i]) best[i] = cost;
        }
    } while (wall_seconds() < end);
    for (size_t i = 0; i < SHARES; i++) {
        const double macs = (double)layout_macs(&run[i].model.spec) / (double)layout_macs(spec);
        printf("prune,%s,%zu,%.1f,%.3f,%.3f\n", name, n, shares[i], best[i] / best[0], macs);
        run_free(&run[i]);
    }
}

int main(int argc, char **argv)
{
    const size_t n_kinds = sizeof kinds / sizeof kinds[0];
    size_t kind = 0;
    while (argc == 6 && kind < n_kinds && strcmp(kinds[kind].name, argv[1]) != 0) kind++;
    const bool record = argc == 6 && strcmp(argv[2], "record") == 0;
    const bool pruned = argc == 6 && strcmp(argv[2], "shares") == 0;
    const unsigned long n = argc == 6 ? strtoul(argv[3], NULL, 10) : 0;
    const unsigned long threads = argc == 6 ? strtoul(argv[4], NULL, 10) : 0;
    if (n == 0 || n > 100000 || threads == 0 || threads > CREW_MAX || kind == n_kinds ||
        (!record && !pruned && strcmp(argv[2], "batch") != 0)) {
        fprintf(stderr, "usage: bench_model KIND batch|record|shares BATCH THREADS SECONDS\n");
        return 2;
    }
    if (pruned) {
        measure_shares(kinds[kind].name, &kinds[kind].spec, n, (unsigned)threads,
                       strtod(argv[5], NULL));
        return 0;
    }
    struct run run = {0};
    run_new(&run, &kinds[kind].spec, n, (unsigned)threads);
    measure(&run, record ? step_record : step_batch, strtod(argv[5], NULL));
    run_free(&run);
    return 0;
}
