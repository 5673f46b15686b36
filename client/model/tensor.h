/* SPDX-License-Identifier: Apache-2.0 */
/* Products of matrices: the only code that touches OpenBLAS. */
#ifndef CLIENT_MODEL_TENSOR_H
#define CLIENT_MODEL_TENSOR_H

#include <stdbool.h>
#include <stddef.h>

/* A borrowed matrix; as it lies in memory it is row after row, each `stride` floats after the last,
 * and the transpose when turned. */
struct matrix {
    size_t rows, cols, stride;
    const float *at;
    bool turned;
};

/* rows x cols floats, row after row. */
struct matrix tensor_view(const float *at, size_t rows, size_t cols);
/* Columns of a wider matrix: each row begins stride floats after the last. */
struct matrix tensor_part(const float *at, size_t rows, size_t cols, size_t stride);
struct matrix tensor_turned(struct matrix a);

/* out = a b, or out += a b when add; out is a.rows x b.cols, row after row, and may overlap
 * neither. Bug when the shapes do not fit. Runs on the calling thread alone; the order of its
 * additions depends on the processor. */
void tensor_product(float *out, struct matrix a, struct matrix b, bool add);

/* The same into columns of a wider matrix. */
void tensor_product_into(float *out, size_t stride, struct matrix a, struct matrix b, bool add);

/* Tell OpenBLAS to start no threads of its own: callers divide the records among theirs. */
void tensor_use_one_thread(void);

/* What OpenBLAS calls the kernels that it chose for this processor. */
const char *tensor_kernels(void);

#endif
