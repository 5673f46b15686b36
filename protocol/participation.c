/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/participation.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/params.h"

#define PRIME ((UINT64_C(1) << 61) - 1)

static uint64_t multiply(uint64_t a, uint64_t b)
{
    const __uint128_t product = (__uint128_t)a * b;
    const uint64_t sum = ((uint64_t)product & PRIME) + (uint64_t)(product >> 61);
    return sum >= PRIME ? sum - PRIME : sum;
}

/* a - f b */
static uint64_t subtract(uint64_t a, uint64_t f, uint64_t b)
{
    const uint64_t product = multiply(f, b);
    return a >= product ? a - product : a + PRIME - product;
}

/* a^(p - 2), for a that is not 0. */
static uint64_t inverse(uint64_t a)
{
    uint64_t result = 1;
    for (uint64_t e = PRIME - 2; e > 0; e >>= 1) {
        if (e & 1) result = multiply(result, a);
        a = multiply(a, a);
    }
    return result;
}

void participation_free(struct participation *basis)
{
    free(basis->pivot);
    free(basis->row);
    free(basis->vector);
    *basis = (struct participation){0};
}

enum status participation_new(struct participation *out, uint32_t n)
{
    if (n == 0 || n > PARAMS_SITES_MAX) return STATUS_RANGE;
    AUTO(participation_free) struct participation basis = {.n = n};
    basis.pivot = calloc(n, sizeof *basis.pivot);
    basis.row = calloc((size_t)n * n, sizeof *basis.row);
    basis.vector = calloc(2 * (size_t)n, sizeof *basis.vector);
    if (basis.pivot == NULL || basis.row == NULL || basis.vector == NULL) return STATUS_NOMEM;
    *out = basis;
    basis = (struct participation){0};
    return STATUS_OK;
}

static uint64_t *row_of(const struct participation *basis, uint32_t i)
{
    return basis->row + (size_t)i * basis->n;
}

static void subtract_row(uint64_t *to, uint64_t factor, const uint64_t *row, uint32_t n)
{
    for (uint32_t v = 0; v < n; v++) to[v] = subtract(to[v], factor, row[v]);
}

/* Take away what the basis spans; rows in order, for a row has nothing at earlier pivots. */
static void reduce(const struct participation *basis, uint64_t *vector)
{
    for (uint32_t i = 0; i < basis->rank; i++) {
        const uint64_t factor = vector[basis->pivot[i]];
        if (factor != 0) subtract_row(vector, factor, row_of(basis, i), basis->n);
    }
}

/* The survivors as a vector, reduced; its first column that is not 0, or n when there is none. */
static uint32_t residue(const struct participation *basis, const struct bits *survivors)
{
    REQUIRE(survivors->n == basis->n);
    uint64_t *vector = basis->vector;
    for (uint32_t v = 0; v < basis->n; v++) vector[v] = bits_has(survivors, v) ? 1 : 0;
    reduce(basis, vector);
    uint32_t first = 0;
    while (first < basis->n && vector[first] == 0) first++;
    return first;
}

bool participation_isolates(struct participation *basis, const struct bits *survivors,
                            uint32_t self)
{
    const uint32_t n = basis->n, pivot = residue(basis, survivors);
    REQUIRE(self < n);
    const uint64_t *next = basis->vector;
    uint64_t *unit = basis->vector + n;
    memset(unit, 0, n * sizeof *unit);
    unit[self] = 1;
    reduce(basis, unit);
    if (pivot < n && unit[pivot] != 0)
        subtract_row(unit, multiply(unit[pivot], inverse(next[pivot])), next, n);
    for (uint32_t v = 0; v < n; v++)
        if (unit[v] != 0) return false;
    return true;
}

void participation_add(struct participation *basis, const struct bits *survivors)
{
    const uint32_t n = basis->n, pivot = residue(basis, survivors);
    if (pivot == n) return;
    const uint64_t factor = inverse(basis->vector[pivot]);
    uint64_t *last = row_of(basis, basis->rank);
    for (uint32_t v = 0; v < n; v++) last[v] = multiply(basis->vector[v], factor);
    basis->pivot[basis->rank++] = pivot;
}
