/* SPDX-License-Identifier: Apache-2.0 */
/* Discrete Gaussian by one look into a table (Walker 1977, Vose 1991): a cell, and in it one of two
 * values. The table holds the law of law_weights at TABLE_BITS without a further error. */
#ifndef DP_NOISE_TABLE_H
#define DP_NOISE_TABLE_H

#include "dp/noise_law.h"

/* Of a word, that choose the cell and then a side of its bound; a test sets fewer, so that more
 * digits are needed often. */
#ifndef TABLE_HEAD
#define TABLE_HEAD 64
#endif
#define TABLE_BITS (TABLE_HEAD + 63)
#define TABLE_CELLS_BITS 11
#define TABLE_CELLS (1 << TABLE_CELLS_BITS)

/* Cell i is i - reach below its bound and other[i] from there on; public. Of a bound's digits
 * those after the head are apart: they are needed once in 2^53 samples. */
struct table {
    uint32_t reach;
    unsigned cell_bits;
    uint64_t bound[TABLE_CELLS], rest[TABLE_CELLS];
    int32_t other[TABLE_CELLS];
};

/* 1 <= sigma <= NOISE_TABLE_SIGMA_MAX. STATUS_NOMEM */
MUST_USE enum status table_new(struct table **out, uint32_t sigma);
void table_free(struct table **table);

/* n samples modulo 2^32. Words are read 64 bits a sample, in blocks; a block's open samples, in
 * order, then read 64 each. */
void table_draw(uint32_t *out, size_t n, const struct table *table, struct rng *rng);

/* log2 of the statistical distance between one sample and N_Z, rounded up. */
int table_distance(uint32_t sigma);

#endif
