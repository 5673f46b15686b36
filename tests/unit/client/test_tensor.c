/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/tensor.h"

#include <math.h>
#include <stdlib.h>

#include "crypto/rng.h"
#include "tests/lib/check.h"

enum { MOST = 40 };

static double element(struct matrix a, size_t r, size_t c)
{
    return (double)(a.turned ? a.at[c * a.rows + r] : a.at[r * a.cols + c]);
}

static void compare(struct matrix a, struct matrix b, bool add)
{
    float got[MOST * MOST];
    for (size_t i = 0; i < MOST * MOST; i++) got[i] = add ? 0.5f : NAN;
    tensor_product(got, a, b, add);
    bool same = true;
    for (size_t r = 0; r < a.rows; r++)
        for (size_t c = 0; c < b.cols; c++) {
            double want = add ? 0.5 : 0;
            for (size_t k = 0; k < a.cols; k++) want += element(a, r, k) * element(b, k, c);
            same = same && fabs(want - (double)got[r * b.cols + c]) < 1e-4;
        }
    CHECK(same);
    for (size_t i = a.rows * b.cols; i < MOST * MOST; i++)
        same = same && (add ? got[i] == 0.5f : isnan(got[i]) != 0);
    CHECK(same);
}

static void products_equal_triple_loops_turned_or_not(void)
{
    static float x[MOST * MOST];
    static float y[MOST * MOST];
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    for (size_t i = 0; i < MOST * MOST; i++) {
        x[i] = (float)rng_normal(&rng);
        y[i] = (float)rng_normal(&rng);
    }
    const size_t shape[][3] = {{1, 1, 1}, {3, 5, 2}, {1, 40, 17}, {40, 1, 40}, {33, 40, 7}};
    for (size_t s = 0; s < sizeof shape / sizeof shape[0]; s++) {
        size_t m = shape[s][0];
        size_t n = shape[s][1];
        size_t k = shape[s][2];
        struct matrix a[] = {tensor_view(x, m, k), tensor_turned(tensor_view(x, k, m))};
        struct matrix b[] = {tensor_view(y, k, n), tensor_turned(tensor_view(y, n, k))};
        for (unsigned form = 0; form < 8; form++)
            compare(a[form & 1], b[form >> 1 & 1], form >> 2 != 0);
    }
}

/* Whatever they lie in: the same numbers as in matrices of their own, and nothing beside them. */
static void columns_of_wider_matrices_are_matrices(void)
{
    enum { ROWS = 5, COLS = 3, INNER = 4, WIDE = 7 };
    float a[ROWS * WIDE], b[INNER * WIDE], want[ROWS * COLS], got[ROWS * WIDE];
    float a_alone[ROWS * INNER], b_alone[INNER * COLS];
    for (size_t i = 0; i < ROWS * WIDE; i++) a[i] = (float)sin((double)i);
    for (size_t i = 0; i < INNER * WIDE; i++) b[i] = (float)cos((double)i);
    for (size_t i = 0; i < ROWS * INNER; i++) a_alone[i] = a[i / INNER * WIDE + i % INNER];
    for (size_t i = 0; i < INNER * COLS; i++) b_alone[i] = b[i / COLS * WIDE + i % COLS];
    for (size_t rows = 1; rows <= ROWS; rows += ROWS - 1) {
        for (size_t i = 0; i < ROWS * WIDE; i++) got[i] = 0.5f;
        tensor_product(want, tensor_view(a_alone, rows, INNER), tensor_view(b_alone, INNER, COLS),
                       false);
        tensor_product_into(got, WIDE, tensor_part(a, rows, INNER, WIDE),
                            tensor_part(b, INNER, COLS, WIDE), false);
        for (size_t r = 0; r < ROWS; r++)
            for (size_t c = 0; c < WIDE; c++)
                CHECK_CLOSE(r < rows && c < COLS ? (double)want[r * COLS + c] : 0.5,
                            (double)got[r * WIDE + c], 1e-6);
    }
    /* A column, turned into a row. */
    tensor_product_into(got, WIDE, tensor_turned(tensor_part(a, ROWS, 1, WIDE)),
                        tensor_part(a, ROWS, 2, WIDE), false);
    for (size_t c = 0; c < 2; c++) {
        double sum = 0;
        for (size_t k = 0; k < ROWS; k++) sum += (double)a[k * WIDE] * (double)a[k * WIDE + c];
        CHECK_CLOSE(sum, (double)got[c], 1e-6);
    }
}

static void turning_twice_is_not_turning(void)
{
    const float x[] = {1, 2, 3, 4, 5, 6};
    struct matrix a = tensor_turned(tensor_turned(tensor_view(x, 2, 3)));
    CHECK_NUMBER(2, a.rows);
    CHECK_NUMBER(3, a.cols);
    CHECK(!a.turned);
}

int main(void)
{
    tensor_use_one_thread();
    RUN(products_equal_triple_loops_turned_or_not);
    RUN(columns_of_wider_matrices_are_matrices);
    RUN(turning_twice_is_not_turning);
    return check_done();
}
