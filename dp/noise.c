/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/noise.h"

#include <math.h>
#include <stdlib.h>

#include "base/secret.h"
#include "dp/noise_exact.h"
#include "dp/noise_table.h"

enum status noise_new(struct noise *out, size_t n)
{
    REQUIRE(n > 0);
    uint32_t *value = calloc(n, sizeof *value);
    if (value == NULL) return STATUS_NOMEM;
    *out = (struct noise){.n = n, .value = value};
    return STATUS_OK;
}

static void draw_exact(struct noise *noise, uint32_t sigma, struct rng *rng)
{
    struct exact exact;
    exact_init(&exact, sigma);
    struct words words = {.rng = rng};
    for (size_t i = 0; i < noise->n; i++) noise->value[i] = (uint32_t)exact_sample(&exact, &words);
    secret_wipe(&words, sizeof words);
}

static enum status draw_table(struct noise *noise, uint32_t sigma, struct rng *rng)
{
    AUTO(table_free) struct table *table = NULL;
    TRY(table_new(&table, sigma));
    table_draw(noise->value, noise->n, table, rng);
    return STATUS_OK;
}

enum status noise_draw(struct noise *out, size_t n, uint32_t sigma, enum noise_sampler sampler,
                       struct rng *rng)
{
    if (sampler >= NOISE_SAMPLERS || sigma > NOISE_SIGMA_MAX ||
        (sampler == NOISE_TABLE && sigma > NOISE_TABLE_SIGMA_MAX))
        return STATUS_RANGE;
    AUTO(noise_free) struct noise noise = {0};
    TRY(noise_new(&noise, n));
    if (sigma > 0 && sampler == NOISE_EXACT) draw_exact(&noise, sigma, rng);
    if (sigma > 0 && sampler == NOISE_TABLE) TRY(draw_table(&noise, sigma, rng));
    *out = noise;
    noise = (struct noise){0};
    return STATUS_OK;
}

enum status noise_draw_rational(struct noise *out, size_t n, uint64_t numerator,
                                uint64_t denominator, struct rng *rng)
{
    const uint64_t most = (uint64_t)NOISE_SIGMA_MAX * NOISE_SIGMA_MAX;
    if (numerator == 0 || denominator == 0 || (numerator - 1) / denominator >= most)
        return STATUS_RANGE;
    struct noise noise = {0};
    TRY(noise_new(&noise, n));
    struct law law;
    law_init(&law, numerator, denominator);
    struct words words = {.rng = rng};
    for (size_t i = 0; i < n; i++) noise.value[i] = (uint32_t)law_sample(&law, &words);
    secret_wipe(&words, sizeof words);
    *out = noise;
    return STATUS_OK;
}

void noise_free(struct noise *noise)
{
    secret_wipe(noise->value, noise->n * sizeof *noise->value);
    free(noise->value);
    *noise = (struct noise){0};
}

enum status noise_add(struct noised *out, const struct encoded *in, struct noise *noise)
{
    if (noise->n != in->n) return STATUS_RANGE;
    for (size_t i = 0; i < in->n; i++) noise->value[i] += (uint32_t)in->value[i];
    *out = (struct noised){.n = noise->n, .value = noise->value};
    *noise = (struct noise){0};
    return STATUS_OK;
}

double noise_delta(enum noise_sampler sampler, double samples, double epsilon)
{
    if (sampler == NOISE_EXACT) return 0.0;
    const double raise = 1.0 + 1e-9; /* above what rounding and libm take away */
    return raise * ldexp((1.0 + exp(epsilon)) * samples, NOISE_TABLE_LOG2_DISTANCE);
}

double noise_table_distance(uint32_t sigma)
{
    return table_distance(sigma);
}
