/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/apart.h"

#include <string.h>

#include "base/vector.h"

#define LANES 8
#define ROWS 2    /* of weights, and */
#define RECORDS 4 /* that a block of a product has */
#define GROUP 4   /* rows of weights that are added at a time */

/* LANES floats that lie anywhere. */
typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

/* rows x records dot products; all sizes of blocks add up the same numbers in the same order. */
__attribute__((always_inline)) static inline void block(float *out, size_t stride, const float *x,
                                                        const float *w, const float *bias,
                                                        size_t cols, size_t rows, size_t records)
{
    lanes sum[ROWS][RECORDS] = {0};
    const size_t whole = cols - cols % LANES;
    for (size_t c = 0; c < whole; c += LANES)
        for (size_t r = 0; r < rows; r++) {
            const lanes weight = *(const lanes *)(w + r * cols + c);
            for (size_t i = 0; i < records; i++)
                sum[r][i] += weight * *(const lanes *)(x + i * cols + c);
        }
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < records; i++) {
            for (size_t c = whole; c < cols; c++)
                sum[r][i][c - whole] += w[r * cols + c] * x[i * cols + c];
            float total = bias[r];
            for (size_t l = 0; l < LANES; l++) total += sum[r][i][l];
            out[i * stride + r] = total;
        }
}

__attribute__((always_inline)) static inline void rows_of(float *out, const float *x,
                                                          const float *w, const float *bias,
                                                          size_t n, size_t stride, size_t cols,
                                                          size_t rows)
{
    size_t i = 0;
    for (; n - i >= RECORDS; i += RECORDS)
        block(out + i * stride, stride, x + i * cols, w, bias, cols, rows, RECORDS);
    for (; i < n; i++) block(out + i * stride, stride, x + i * cols, w, bias, cols, rows, 1);
}

VECTOR_CLONES static void product(float *out, const float *x, const float *w, const float *bias,
                                  size_t n, size_t rows, size_t cols)
{
    size_t r = 0;
    for (; rows - r >= ROWS; r += ROWS)
        rows_of(out + r, x, w + r * cols, bias + r, n, rows, cols, ROWS);
    for (; r < rows; r++) rows_of(out + r, x, w + r * cols, bias + r, n, rows, cols, 1);
}

void apart_product(float *out, const float *x, const float *w, const float *bias, size_t n,
                   size_t rows, size_t cols)
{
    product(out, x, w, bias, n, rows, cols);
}

VECTOR_CLONES static void add_four_rows(float *restrict out, const float *const row[static GROUP],
                                        const float factor[static GROUP], size_t n)
{
    const float *a = row[0], *b = row[1], *c = row[2], *d = row[3];
    for (size_t i = 0; i < n; i++)
        out[i] += (factor[0] * a[i] + factor[1] * b[i]) + (factor[2] * c[i] + factor[3] * d[i]);
}

static void back_one(float *dx, const float *delta, const float *w, size_t rows, size_t cols)
{
    const float *row[GROUP] = {w, w, w, w};
    float factor[GROUP] = {0};
    size_t n = 0;
    memset(dx, 0, cols * sizeof *dx);
    for (size_t r = 0; r < rows; r++, w += cols) {
        if (delta[r] == 0) continue; /* the relu cuts about half of the units */
        row[n] = w;
        factor[n++] = delta[r];
        if (n < GROUP) continue;
        add_four_rows(dx, row, factor, cols);
        memset(factor, 0, sizeof factor);
        n = 0;
    }
    if (n > 0) add_four_rows(dx, row, factor, cols);
}

void apart_back(float *dx, const float *delta, const float *w, size_t n, size_t rows, size_t cols)
{
    for (size_t i = 0; i < n; i++) back_one(dx + i * cols, delta + i * rows, w, rows, cols);
}
