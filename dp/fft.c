/* SPDX-License-Identifier: Apache-2.0 */
/* Radix 2: decimation in frequency forwards and in time backwards, so that nothing is permuted. */
#include "dp/fft.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum status fft_new(struct fft *fft, size_t n)
{
    REQUIRE(n >= 2 && (n & (n - 1)) == 0);
    struct fft_number *root = calloc(n / 2, sizeof *root);
    if (root == NULL) return STATUS_NOMEM;
    for (size_t k = 0; k < n / 2; k++) {
        double angle = 2.0 * M_PI * (double)k / (double)n;
        root[k] = (struct fft_number){cos(angle), -sin(angle)};
    }
    *fft = (struct fft){n, root};
    return STATUS_OK;
}

void fft_free(struct fft *fft)
{
    free(fft->root);
    *fft = (struct fft){0};
}

void fft_forward(const struct fft *fft, struct fft_number *x)
{
    for (size_t half = fft->n / 2, stride = 1; half > 0; half /= 2, stride *= 2)
        for (size_t block = 0; block < fft->n; block += 2 * half)
            for (size_t i = 0; i < half; i++) {
                struct fft_number *a = &x[block + i], *b = a + half, w = fft->root[i * stride];
                double re = a->re - b->re, im = a->im - b->im;
                *a = (struct fft_number){a->re + b->re, a->im + b->im};
                *b = (struct fft_number){re * w.re - im * w.im, re * w.im + im * w.re};
            }
}

void fft_backward(const struct fft *fft, struct fft_number *x)
{
    for (size_t half = 1, stride = fft->n / 2; half < fft->n; half *= 2, stride /= 2)
        for (size_t block = 0; block < fft->n; block += 2 * half)
            for (size_t i = 0; i < half; i++) {
                struct fft_number *a = &x[block + i], *b = a + half, w = fft->root[i * stride];
                double re = b->re * w.re + b->im * w.im, im = b->im * w.re - b->re * w.im;
                *b = (struct fft_number){a->re - re, a->im - im};
                *a = (struct fft_number){a->re + re, a->im + im};
            }
}

double fft_error(const struct fft *fft)
{
    return 8.0 * log2((double)fft->n) * DBL_EPSILON / 2.0;
}

/* Between two powers of two, all bits but the first are turned. */
size_t fft_mirror(size_t k)
{
    if (k < 2) return k;
    const size_t top = (size_t)1 << (63 - __builtin_clzll(k));
    return k ^ (top - 1);
}
