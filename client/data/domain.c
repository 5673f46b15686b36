/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/domain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NOISE_LEVELS 72.0
#define BLUR_REACH 2

const char *domain_name(enum domain domain)
{
    static const char *const name[DOMAIN_COUNT] = {
#define DOMAIN_TEXT(name, text) text,
        DOMAIN_MAP(DOMAIN_TEXT)
#undef DOMAIN_TEXT
    };
    REQUIRE(domain < DOMAIN_COUNT);
    return name[domain];
}

/* One channel of one image; reads outside repeat the border. */
struct plane {
    const uint8_t *at;
    long height, width;
};

static int pixel(const struct plane *p, long y, long x)
{
    y = y < 0 ? 0 : y >= p->height ? p->height - 1 : y;
    x = x < 0 ? 0 : x >= p->width ? p->width - 1 : x;
    return p->at[y * p->width + x];
}

static uint8_t blurred(const struct plane *p, long y, long x)
{
    int sum = 0, n = 0;
    for (long v = y - BLUR_REACH; v <= y + BLUR_REACH; v++)
        for (long u = x - BLUR_REACH; u <= x + BLUR_REACH; u++)
            if (v >= 0 && v < p->height && u >= 0 && u < p->width) {
                sum += pixel(p, v, u);
                n++;
            }
    return (uint8_t)((sum + n / 2) / n);
}

static uint8_t edge(const struct plane *p, long y, long x)
{
    const int size =
        abs(pixel(p, y, x + 1) - pixel(p, y, x - 1)) + abs(pixel(p, y + 1, x) - pixel(p, y - 1, x));
    return (uint8_t)(size > 255 ? 255 : size);
}

static uint8_t noisy(uint8_t p, struct rng *rng)
{
    const double x = round(p + NOISE_LEVELS * rng_normal(rng));
    return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
}

static uint8_t changed(const struct plane *p, long y, long x, enum domain domain, struct rng *rng)
{
    const int here = pixel(p, y, x);
    switch (domain) {
    case DOMAIN_INVERT:
        return (uint8_t)((383 - here) / 2); /* 191.25 - p / 2, rounded */
    case DOMAIN_TRANSPOSE:
        return (uint8_t)pixel(p, x, y);
    case DOMAIN_NOISE:
        return noisy((uint8_t)here, rng);
    case DOMAIN_BLUR:
        return blurred(p, y, x);
    case DOMAIN_EDGES:
        return edge(p, y, x);
    case DOMAIN_IDENTITY:
    case DOMAIN_COUNT:
        break;
    }
    return (uint8_t)here;
}

static void release(uint8_t **copy)
{
    free(*copy);
}

enum status domain_apply(struct dataset *data, enum domain domain, struct rng *rng)
{
    REQUIRE(domain < DOMAIN_COUNT);
    if (domain == DOMAIN_TRANSPOSE && data->height != data->width) return STATUS_RANGE;
    const size_t n = (size_t)data->height * data->width;
    AUTO(release) uint8_t *copy = malloc(n + 1);
    if (copy == NULL) return STATUS_NOMEM;
    const struct plane plane = {copy, (long)data->height, (long)data->width};
    for (size_t i = 0; i < data->n * data->channels; i++) {
        uint8_t *out = data->pixel + i * n;
        memcpy(copy, out, n);
        for (long y = 0; y < plane.height; y++)
            for (long x = 0; x < plane.width; x++) *out++ = changed(&plane, y, x, domain, rng);
    }
    return STATUS_OK;
}
