/* SPDX-License-Identifier: Apache-2.0 */
/* Fourier transform of 2^k complex numbers in double precision. The spectrum is in bit-reversed
 * order: whoever only multiplies spectra never sees it. */
#ifndef DP_FFT_H
#define DP_FFT_H

#include <stddef.h>

#include "base/status.h"

struct fft_number {
    double re, im;
};

struct fft {
    size_t n;
    struct fft_number *root; /* exp(-2 pi i k / n) for k < n / 2 */
};

/* Prepare transforms of n = a power of two >= 2 numbers. STATUS_NOMEM; fft is untouched. */
MUST_USE enum status fft_new(struct fft *fft, size_t n);
void fft_free(struct fft *fft);

/* Transform x in place, natural order in, bit-reversed order out. */
void fft_forward(const struct fft *fft, struct fft_number *x);

/* The inverse without the division by n: bit-reversed order in, natural order out. */
void fft_backward(const struct fft *fft, struct fft_number *x);

/* Where the spectrum of a real sequence holds the conjugate of what is at k. */
size_t fft_mirror(size_t k);

/* No result of either is further from the truth than this times the sum of the magnitudes of what
 * went in: a level rounds an addition and a product (at most sqrt 5 units) and its root has an
 * error of less than 2, and we take 8 units for a level. */
double fft_error(const struct fft *fft);

#endif
