/* SPDX-License-Identifier: Apache-2.0 */
/* How many samples of noise a second each sampler makes, beside the plain loop of Canonne, Kamath,
 * Steinke 2020 in 64-bit integers. bench_noise [--quick] [COMMIT] prints
 *
 *   noise,sampler,kernel,sigma,million samples a second,speed over the plain loop in the same run
 *
 * One thread, and the time that it had the processor; the best of several turns, which the samplers
 * take one after the other; tables and all that a call computes once are part of it. */
#include <stdio.h>
#include <string.h>

#include "benchmarks/bench.h"
#include "dp/noise.h"
#include "dp/noise_law.h"
#include "dp/skellam.h"

static size_t samples = 10000000, turns = 5;

/* --- the plain loop, with the same random words --------------------------------------------------
 */

static uint64_t plain_below(struct words *words, uint64_t n)
{
    for (;;) {
        const uint64_t word = (uint64_t)words_next(words) << 32 | words_next(words);
        const u128 product = (u128)word * n;
        if ((uint64_t)product >= n || (uint64_t)product >= (UINT64_MAX - n + 1) % n)
            return (uint64_t)(product >> 64);
    }
}

/* True with probability exp(-p / q), p <= q. */
static bool plain_exp(struct words *words, uint64_t p, uint64_t q)
{
    uint64_t k = 1;
    while (plain_below(words, q * k) < p) k++;
    return k % 2 == 1;
}

static int64_t plain_sample(struct words *words, uint64_t sigma)
{
    for (;;) {
        const uint64_t u = plain_below(words, sigma);
        if (!plain_exp(words, u, sigma)) continue;
        uint64_t v = 0;
        while (plain_exp(words, 1, 1)) v++;
        const int64_t m = (int64_t)(u + sigma * v);
        const bool negative = words_next(words) % 2 == 1;
        if (negative && m == 0) continue;
        const uint64_t far =
            (uint64_t)(m > (int64_t)sigma ? m - (int64_t)sigma : (int64_t)sigma - m);
        const uint64_t q = 2 * sigma * sigma;
        uint64_t p = far * far;
        bool kept = true;
        for (; kept && p > q; p -= q) kept = plain_exp(words, 1, 1);
        if (kept && plain_exp(words, p, q)) return negative ? -m : m;
    }
}

/* --- what is compared ----------------------------------------------------------------------------
 */

enum sampler { PLAIN, EXACT, TABLE, RATIONAL, SKELLAM, SAMPLERS };

static const struct {
    const char *name, *kernel;
    size_t slower; /* draws so many times fewer samples */
} sampler[SAMPLERS] = {{"plain", "64-bit", 4},
                       {"exact", "64-bit", 1},
                       {"table", "portable", 1},
                       {"rational", "gmp", 200},
                       {"skellam", "words", 100}};

static bool can(enum sampler which, uint32_t sigma)
{
    if (which == TABLE) return sigma <= NOISE_TABLE_SIGMA_MAX;
    return which != SKELLAM || sigma * sigma <= SKELLAM_VARIANCE_MAX;
}

static enum status draw(struct noise *out, enum sampler which, size_t n, uint32_t sigma,
                        struct rng *rng)
{
    const uint64_t variance = (uint64_t)sigma * sigma;
    if (which == EXACT) return noise_draw(out, n, sigma, NOISE_EXACT, rng);
    if (which == TABLE) return noise_draw(out, n, sigma, NOISE_TABLE, rng);
    if (which == RATIONAL) return noise_draw_rational(out, n, variance, 1, rng);
    if (which == SKELLAM) return skellam_draw(out, n, variance, 1, rng);
    TRY(noise_new(out, n));
    struct words words = {.rng = rng};
    for (size_t i = 0; i < n; i++) out->value[i] = (uint32_t)plain_sample(&words, sigma);
    return STATUS_OK;
}

static void run(uint32_t sigma, struct rng *rng)
{
    double rate[SAMPLERS] = {0};
    for (size_t turn = 0; turn < turns; turn++)
        for (enum sampler s = 0; s < SAMPLERS; s++) {
            AUTO(noise_free) struct noise noise = {0};
            const size_t n = samples / sampler[s].slower;
            if (!can(s, sigma)) continue;
            const double start = bench_seconds();
            bench_must(draw(&noise, s, n, sigma, rng));
            const double now = 1e-6 * (double)n / (bench_seconds() - start);
            if (now > rate[s]) rate[s] = now;
        }
    for (enum sampler s = 0; s < SAMPLERS; s++)
        if (can(s, sigma))
            printf("noise,%s,%s,%u,%.3f,%.2f\n", sampler[s].name, sampler[s].kernel, sigma, rate[s],
                   rate[s] / rate[PLAIN]);
}

int main(int argc, char **argv)
{
    static const uint32_t sigma[] = {4, 16, 64, 1000, 1000000};
    const bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    const int next = quick ? 2 : 1;
    if (quick) {
        samples = 100000;
        turns = 1;
    }
    struct rng rng = {0};
    rng_system(&rng);
    bench_header(argc > next ? argv[next] : "unknown");
    for (size_t i = 0; i < sizeof sigma / sizeof *sigma; i++) run(sigma[i], &rng);
    return 0;
}
