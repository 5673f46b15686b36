/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/fft.h"

#include <math.h>
#include <stdlib.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define N 64

/* Numbers that no symmetry helps. */
static void fill(struct fft_number *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (struct fft_number){sin((double)(i * i)), cos((double)(3 * i + 1))};
}

static void back_and_forth_is_n_times_the_same(void)
{
    struct fft_number x[N], y[N];
    for (size_t n = 2; n <= N; n *= 2) {
        AUTO(fft_free) struct fft fft = {0};
        CHECK_OK(fft_new(&fft, n));
        fill(x, n);
        fill(y, n);
        fft_forward(&fft, x);
        fft_backward(&fft, x);
        for (size_t i = 0; i < n; i++) {
            CHECK_CLOSE((double)n * y[i].re, x[i].re, 1e-12);
            CHECK_CLOSE((double)n * y[i].im, x[i].im, 1e-12);
        }
    }
}

static size_t reversed(size_t k, size_t n)
{
    size_t r = 0;
    for (size_t bit = 1; bit < n; bit *= 2) r = 2 * r + ((k & bit) != 0);
    return r;
}

static void spectrum_is_the_sum_of_the_definition(void)
{
    AUTO(fft_free) struct fft fft = {0};
    CHECK_OK(fft_new(&fft, N));
    struct fft_number x[N], y[N];
    fill(x, N);
    fill(y, N);
    fft_forward(&fft, x);
    double size = 0.0;
    for (size_t i = 0; i < N; i++) size += hypot(y[i].re, y[i].im);
    for (size_t k = 0; k < N; k++) {
        double re = 0.0, im = 0.0;
        for (size_t i = 0; i < N; i++) {
            double angle = -2.0 * M_PI * (double)(k * i % N) / N;
            re += y[i].re * cos(angle) - y[i].im * sin(angle);
            im += y[i].re * sin(angle) + y[i].im * cos(angle);
        }
        struct fft_number got = x[reversed(k, N)];
        CHECK(hypot(got.re - re, got.im - im) <= 2.0 * fft_error(&fft) * size);
        CHECK_CLOSE(re, got.re, 1e-12);
    }
}

/* And two of them go through one transform: the conjugate places tell them apart. */
static void real_numbers_have_conjugate_spectra(void)
{
    AUTO(fft_free) struct fft fft = {0};
    CHECK_OK(fft_new(&fft, N));
    struct fft_number x[N];
    fill(x, N);
    for (size_t i = 0; i < N; i++) x[i].im = 0.0;
    fft_forward(&fft, x);
    for (size_t k = 0; k < N; k++) {
        const size_t mirror = fft_mirror(k);
        CHECK(mirror < N && fft_mirror(mirror) == k);
        CHECK_NUMBER((N - reversed(k, N)) % N, reversed(mirror, N));
        CHECK_CLOSE(x[k].re, x[mirror].re, 1e-12);
        CHECK_CLOSE(x[k].im, -x[mirror].im, 1e-12);
    }
}

static void memory_is_refused_cleanly(void)
{
    struct fft fft = {0};
    OOM_EACH {
        enum status status = fft_new(&fft, N);
        oom_stop();
        if (status == STATUS_OK) {
            CHECK(fft.n == N);
            fft_free(&fft);
        } else {
            CHECK_STATUS(STATUS_NOMEM, status);
        }
        CHECK(fft.n == 0 && fft.root == NULL);
    }
}

int main(void)
{
    RUN(back_and_forth_is_n_times_the_same);
    RUN(spectrum_is_the_sum_of_the_definition);
    RUN(real_numbers_have_conjugate_spectra);
    RUN(memory_is_refused_cleanly);
    return check_done();
}
