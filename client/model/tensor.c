/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/tensor.h"

#include <cblas.h>
#include <limits.h>

#include "base/status.h"

struct matrix tensor_view(const float *at, size_t rows, size_t cols)
{
    return tensor_part(at, rows, cols, cols);
}

struct matrix tensor_part(const float *at, size_t rows, size_t cols, size_t stride)
{
    REQUIRE(cols <= stride);
    return (struct matrix){.rows = rows, .cols = cols, .stride = stride, .at = at};
}

struct matrix tensor_turned(struct matrix a)
{
    return (struct matrix){
        .rows = a.cols, .cols = a.rows, .stride = a.stride, .at = a.at, .turned = !a.turned};
}

void tensor_product(float *out, struct matrix a, struct matrix b, bool add)
{
    tensor_product_into(out, b.cols, a, b, add);
}

void tensor_product_into(float *out, size_t stride, struct matrix a, struct matrix b, bool add)
{
    REQUIRE(a.cols == b.rows && a.rows > 0 && b.cols > 0 && a.cols > 0 && b.cols <= stride);
    REQUIRE(a.rows <= INT_MAX && a.cols <= INT_MAX && b.cols <= INT_MAX);
    REQUIRE(a.stride <= INT_MAX && b.stride <= INT_MAX && stride <= INT_MAX);
    const float old = add ? 1.0f : 0.0f;
    if (a.rows == 1) { /* a single record: four times as fast as a product of matrices */
        const struct matrix stored = b.turned ? tensor_turned(b) : b;
        cblas_sgemv(CblasRowMajor, b.turned ? CblasNoTrans : CblasTrans, (int)stored.rows,
                    (int)stored.cols, 1.0f, stored.at, (int)stored.stride, a.at,
                    a.turned ? (int)a.stride : 1, old, out, 1);
        return;
    }
    cblas_sgemm(CblasRowMajor, a.turned ? CblasTrans : CblasNoTrans,
                b.turned ? CblasTrans : CblasNoTrans, (int)a.rows, (int)b.cols, (int)a.cols, 1.0f,
                a.at, (int)a.stride, b.at, (int)b.stride, old, out, (int)stride);
}

void tensor_use_one_thread(void)
{
    if (openblas_get_num_threads() != 1) openblas_set_num_threads(1);
}

const char *tensor_kernels(void)
{
    return openblas_get_corename();
}
