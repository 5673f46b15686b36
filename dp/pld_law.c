/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/pld_law.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELLS_MAX 8388608.0
/* Weights are multiplied up from one exp in so many cells. */
#define BLOCK 64

void pld_law_free(struct pld_law *law)
{
    free(law->chance);
    *law = (struct pld_law){0};
}

/* Split between the neighbours on the grid with the sum of chance and of chance * exp(-loss)
 * kept: the pair's likelihood ratio spreads about its mean, which no divergence likes. */
static void split(void *to, double loss, double chance)
{
    struct pld_law *law = to;
    const double at = loss / law->step - (double)law->first, below = floor(at);
    REQUIRE(below >= 0.0 && below < (double)(law->n - 1));
    const double up = chance * (expm1((below - at) * law->step) / expm1(-law->step));
    law->chance[(size_t)below] += chance - up;
    law->chance[(size_t)below + 1] += up;
}

enum status pld_law_new(struct pld_law *law, const struct mechanism_walk *walk, double step,
                        double tilt)
{
    const double low = floor(walk->least / step) - 2.0, high = ceil(walk->most / step) + 3.0;
    if (!(high - low < CELLS_MAX)) return STATUS_RANGE;
    AUTO(pld_law_free)
    struct pld_law made = {
        .n = (size_t)(high - low), .first = (int64_t)low, .step = step, .infinite = walk->tail};
    made.chance = calloc(made.n, sizeof *made.chance);
    if (made.chance == NULL) return STATUS_NOMEM;
    mechanism_walk_each(walk, step, tilt, split, &made);
    /* pld_law_moment wants something at both ends. */
    size_t empty = 0;
    while (made.chance[made.n - 1] == 0.0) made.n--;
    while (made.chance[empty] == 0.0) empty++;
    made.n -= empty;
    made.first += (int64_t)empty;
    memmove(made.chance, made.chance + empty, made.n * sizeof *made.chance);
    *law = made;
    made = (struct pld_law){0};
    return STATUS_OK;
}

/* Horner's rule, from the end that weighs more, so that nothing overflows and the first term does
 * not vanish; in four chains that a processor works on at once. */
double pld_law_moment(const struct pld_law *law, double power)
{
    const double one = exp(-fabs(power) * law->step), four = one * one * one * one;
    const bool up = power > 0.0;
    double chain[4] = {0.0};
    size_t i = 0;
    for (; i < law->n % 4; i++) chain[3] = chain[3] * one + law->chance[up ? i : law->n - 1 - i];
    for (; i < law->n; i += 4)
        for (size_t k = 0; k < 4; k++)
            chain[k] = chain[k] * four + law->chance[up ? i + k : law->n - 1 - i - k];
    const double sum = ((chain[0] * one + chain[1]) * one + chain[2]) * one + chain[3];
    const int64_t end = law->first + (up ? (int64_t)law->n - 1 : 0);
    return power * (double)end * law->step + log(sum);
}

void pld_law_tilt(double *to, size_t n, size_t stride, const struct pld_law *law, double tilt,
                  double scale)
{
    /* Shorter blocks where weights grow fast, so that they stay far from overflow. */
    const size_t block = (size_t)fmin((double)BLOCK, 1.0 + 32.0 / (tilt * law->step));
    double weight[BLOCK];
    for (size_t k = 0; k < block; k++) weight[k] = exp(tilt * (double)k * law->step);
    for (size_t i = 0; i < law->n; i += block) {
        const double loss = (double)(law->first + (int64_t)i) * law->step;
        const double base = exp(tilt * loss - scale);
        const size_t end = law->n - i < block ? law->n - i : block;
        for (size_t k = 0; k < end; k++)
            to[((i + k) & (n - 1)) * stride] += law->chance[i + k] * (base * weight[k]);
    }
}
