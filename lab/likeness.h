/* SPDX-License-Identifier: Apache-2.0 */
/* How much pictures tell of records: peak signal-to-noise ratios, in dB, above what a guess without
 * any picture reaches. */
#ifndef LAB_LIKENESS_H
#define LAB_LIKENESS_H

#include "lab/leak.h"

#define LIKENESS_MAX 100.0 /* dB; also of what is equal */

/* PSNR is 10 log10(1 / mean squared error) of pixels in [0, 1]. The record is compared with the
 * blend guess + k (picture - guess), 0 <= k <= 1, of that picture and that k which fit it best:
 * more than an attacker could choose without the record. So psnr >= guess, and a picture that has
 * nothing of the record gains next to nothing. */
struct likeness {
    double psnr;  /* of the best blend */
    double guess; /* of the guess alone */
    size_t best;  /* the picture of the blend */
};

/* One record against all pictures; it and the guess are pixels in [0, 1], pictures->floats each. */
struct likeness likeness_of(const float *record, const float *guess,
                            const struct gallery *pictures);

/* What the pictures gained: psnr - guess. */
double likeness_gain(const struct likeness *likeness);

/* A mean with its interval of 95 % by Student's t; of less than two values no more than the mean.
 */
struct likeness_mean {
    double mean, low, high;
};
struct likeness_mean likeness_mean(const double *value, size_t n);

/* The chance, if a and b were drawn alike, that a's ranks in both together add up to as much as
 * they do: Mann and Whitney's test, one-sided, by the normal law with ties at their mean rank. 1
 * when either is empty. STATUS_NOMEM. */
MUST_USE enum status likeness_compare(double *p, const double *a, size_t n_a, const double *b,
                                      size_t n_b);

/* The chance that n uniform elements of the ring 2^bits gather on its circle as much as these do:
 * exp(-n R^2), R the length of their mean as points of the circle (Rayleigh's test). A masked
 * vector is uniform; one without its masks lies around 0. */
double likeness_uniform(const uint32_t *value, size_t n, unsigned bits);

#endif
