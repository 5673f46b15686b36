/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/apart.h"

#include <math.h>
#include <string.h>

#include "crypto/rng.h"
#include "tests/lib/check.h"

enum { ROWS = 11, COLS = 37, MOST = 9 };

/* Sizes on both sides of every block. */
static const size_t rows_of[] = {1, 2, 3, 8, ROWS}, cols_of[] = {1, 7, 8, 9, 16, COLS};

struct work {
    float x[MOST * COLS], delta[MOST * ROWS], w[ROWS * COLS], bias[ROWS];
};

static void normals(float *out, size_t n, struct rng *rng)
{
    for (size_t i = 0; i < n; i++) out[i] = (float)rng_normal(rng);
}

static void work_draw(struct work *work, uint64_t seed)
{
    struct rng rng = {0};
    rng_numbered(&rng, seed);
    normals(work->x, MOST * COLS, &rng);
    normals(work->delta, MOST * ROWS, &rng);
    normals(work->w, ROWS * COLS, &rng);
    normals(work->bias, ROWS, &rng);
    for (size_t i = 0; i < MOST * ROWS; i++)
        if (rng_below(&rng, 2) == 0) work->delta[i] = 0;
}

#define EACH_SHAPE                                                                                 \
    for (size_t a = 0; a < sizeof rows_of / sizeof *rows_of; a++)                                  \
        for (size_t b = 0; b < sizeof cols_of / sizeof *cols_of; b++)

static void products_are_those_of_a_plain_loop(void)
{
    struct work work;
    work_draw(&work, 1);
    EACH_SHAPE
    {
        const size_t rows = rows_of[a], cols = cols_of[b];
        float out[MOST * ROWS + 1] = {0}, dx[MOST * COLS + 1] = {0};
        for (size_t n = 1; n <= MOST; n++) {
            out[n * rows] = dx[n * cols] = 7;
            apart_product(out, work.x, work.w, work.bias, n, rows, cols);
            apart_back(dx, work.delta, work.w, n, rows, cols);
            CHECK(out[n * rows] == 7 && dx[n * cols] == 7);
            double off = 0;
            for (size_t i = 0; i < n; i++) {
                for (size_t r = 0; r < rows; r++) {
                    double want = (double)work.bias[r];
                    for (size_t c = 0; c < cols; c++)
                        want += (double)work.w[r * cols + c] * (double)work.x[i * cols + c];
                    off = fmax(off, fabs(want - (double)out[i * rows + r]));
                }
                for (size_t c = 0; c < cols; c++) {
                    double want = 0;
                    for (size_t r = 0; r < rows; r++)
                        want += (double)work.delta[i * rows + r] * (double)work.w[r * cols + c];
                    off = fmax(off, fabs(want - (double)dx[i * cols + c]));
                }
            }
            CHECK(off < 1e-5);
        }
    }
}

static void a_record_has_the_same_bits_among_any_others_and_in_any_place(void)
{
    struct work work, other;
    work_draw(&work, 2);
    EACH_SHAPE
    {
        const size_t rows = rows_of[a], cols = cols_of[b];
        float alone[ROWS], back[COLS], out[MOST * ROWS], dx[MOST * COLS];
        apart_product(alone, work.x, work.w, work.bias, 1, rows, cols);
        apart_back(back, work.delta, work.w, 1, rows, cols);
        bool same = true;
        for (size_t n = 1; n <= MOST; n++)
            for (size_t place = 0; place < n; place++) {
                work_draw(&other, 100 * n + place);
                memcpy(other.x + place * cols, work.x, cols * sizeof *work.x);
                memcpy(other.delta + place * rows, work.delta, rows * sizeof *work.delta);
                apart_product(out, other.x, work.w, work.bias, n, rows, cols);
                apart_back(dx, other.delta, work.w, n, rows, cols);
                same = same && memcmp(out + place * rows, alone, rows * sizeof *out) == 0 &&
                       memcmp(dx + place * cols, back, cols * sizeof *dx) == 0;
            }
        CHECK(same);
    }
}

static void weights_that_no_delta_meets_are_not_read(void)
{
    struct work work;
    work_draw(&work, 3);
    for (size_t c = 0; c < COLS; c++) work.w[4 * COLS + c] = NAN;
    work.delta[4] = 0;
    work.delta[ROWS + 4] = 1;
    float dx[2 * COLS];
    apart_back(dx, work.delta, work.w, 2, ROWS, COLS);
    for (size_t c = 0; c < COLS; c++) CHECK(!isnan(dx[c]) && isnan(dx[COLS + c]));
}

int main(void)
{
    RUN(products_are_those_of_a_plain_loop);
    RUN(a_record_has_the_same_bits_among_any_others_and_in_any_place);
    RUN(weights_that_no_delta_meets_are_not_read);
    return check_done();
}
