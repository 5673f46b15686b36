/* SPDX-License-Identifier: Apache-2.0 */
/* How fast contributions are turned and rounded, beside copying the vector in the same run, and
 * what a narrow ring costs with and without. bench_rotate [--quick] [COMMIT] prints
 *
 *   road,step,coordinates,million coordinates a second,times slower than memcpy
 *   error,bits,rotation,rounding,noise over that of a fine grid,error of a sum over a fine grid's
 *
 * One thread, and the time that the process had the processor; the best of several turns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/bench.h"
#include "dp/grid_sum.h"
#include "dp/rotate.h"
#include "tests/lib/narrow.h"

enum step { COPY, ROTATE, NEAREST, STOCHASTIC, STEPS };
static const char *const step_name[STEPS] = {"memcpy", "rotate", "nearest", "stochastic"};

struct work {
    size_t n;
    float *value, *copy;
    struct rotate rotate;
    struct grid grid;
    struct grid_sum sum[STEPS];
    struct rng rng;
};

static void take(struct work *w, enum step step)
{
    const struct clipped in = {.n = w->n, .value = w->value, .factor = 1.0F};
    if (step == COPY) memcpy(w->copy, w->value, w->n * sizeof *w->copy);
    if (step == ROTATE) rotate_forth(&w->rotate, w->copy);
    if (step == NEAREST || step == STOCHASTIC)
        bench_must(grid_add(&w->sum[step], &in, &w->grid, &w->rng));
}

static void work_open(struct work *w, size_t n)
{
    const uint8_t seed[RNG_SEED_BYTES] = {1};
    *w = (struct work){.n = n};
    rng_numbered(&w->rng, 1);
    bench_must(rotate_new(&w->rotate, n, seed));
    const struct grid_goal goal = {.clip = 2.0, .dim = n, .n_sites = 10, .bits = 32};
    bench_must(grid_plan(&w->grid, &goal));
    bench_must(grid_sum_new(&w->sum[NEAREST], n, &w->grid, GRID_NEAREST));
    bench_must(grid_sum_new(&w->sum[STOCHASTIC], n, &w->grid, GRID_STOCHASTIC));
    w->value = calloc(n, sizeof *w->value);
    w->copy = calloc(n, sizeof *w->copy);
    if (w->value == NULL || w->copy == NULL) bench_must(STATUS_NOMEM);
    for (size_t i = 0; i < n; i++) w->value[i] = i % 3 == 0 ? 0x1p-13F : -0x1p-14F;
}

static void work_close(struct work *w)
{
    for (enum step step = NEAREST; step < STEPS; step++) grid_sum_free(&w->sum[step]);
    rotate_free(&w->rotate);
    free(w->value);
    free(w->copy);
}

static void run(size_t n, size_t turns)
{
    AUTO(work_close) struct work w = {0};
    work_open(&w, n);
    double best[STEPS] = {0};
    for (size_t turn = 0; turn <= turns; turn++)
        for (enum step step = 0; step < STEPS; step++) {
            const size_t times = 1 + 4000000 / n;
            if (step == ROTATE) take(&w, COPY);
            const double start = bench_seconds();
            for (size_t i = 0; i < times; i++) take(&w, step);
            const double rate = 1e-6 * (double)(n * times) / (bench_seconds() - start);
            if (turn > 0 && rate > best[step]) best[step] = rate; /* the first one warms up */
        }
    for (enum step step = 0; step < STEPS; step++)
        printf("road,%s,%zu,%.1f,%.2f\n", step_name[step], n, best[step], best[COPY] / best[step]);
}

static void print_errors(unsigned step)
{
    static const char *const name[GRID_ROUNDINGS] = {"nearest", "stochastic"};
    struct narrow fine = {.bits = 32, .rounding = GRID_NEAREST};
    if (!narrow_run(&fine)) bench_must(STATUS_RANGE);
    for (unsigned bits = 14; bits <= 20; bits += step)
        for (unsigned turned = 0; turned < 2; turned++)
            for (enum grid_rounding rounding = 0; rounding < GRID_ROUNDINGS; rounding++) {
                struct narrow narrow = {.bits = bits, .rounding = rounding, .turned = turned == 1};
                printf("error,%u,%s,%s,", bits, turned == 1 ? "hadamard" : "none", name[rounding]);
                if (narrow_run(&narrow))
                    printf("%.3f,%.3f\n", narrow.cost, narrow.error / fine.error);
                else
                    printf("refused,refused\n");
            }
}

int main(int argc, char **argv)
{
    const bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    const int next = quick ? 2 : 1;
    bench_header(argc > next ? argv[next] : "unknown");
    for (size_t n = 10000; n <= (quick ? 10000 : 10000000); n *= 10) run(n, quick ? 1 : 7);
    print_errors(quick ? 6 : 2);
    return 0;
}
