/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "client/data/split.h"
#include "lab/inversion_step.h"

/* Who gets a record: a site, or one of these. */
enum { TO_NOBODY = UINT16_MAX, TO_OTHERS = UINT16_MAX - 1 };

/* How many go to the attacked site, to the others, and to each of the further sites. */
struct portions {
    size_t own, others, each;
};

size_t inversion_records(const struct inversion *inversion)
{
    const struct study *study = &inversion->study;
    const double rate = study->privacy.unit == STUDY_PATIENT ? study->privacy.sampling : 1;
    return (size_t)ceil(inversion->options.batch / rate);
}

size_t inversion_least(const struct inversion *inversion)
{
    return inversion_records(inversion) + 2 * INVERSION_OTHERS + inversion->study.sites.expected;
}

/* As many others as have each a round of their own, if half of the rest suffices. */
static struct portions portions_of(const struct inversion *inversion, size_t n)
{
    const uint32_t further = inversion->study.sites.expected - 1;
    const size_t wanted = (size_t)INVERSION_OTHERS * inversion->options.rounds;
    struct portions p = {.own = inversion_records(inversion)};
    p.others = wanted < (n - p.own) / 2 ? wanted : (n - p.own) / 2;
    const size_t rest = (n - p.own - p.others) / further;
    p.each = rest < p.own ? rest : p.own;
    return p;
}

static void shuffle(uint32_t *order, size_t n, struct rng *rng)
{
    for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) {
        const size_t j = rng_below(rng, i);
        const uint32_t held = order[i - 1];
        order[i - 1] = order[j];
        order[j] = held;
    }
}

static void assign(uint16_t *to, const uint32_t *order, size_t n, const struct portions *p,
                   uint32_t further)
{
    for (size_t i = 0; i < n; i++) {
        const size_t behind = p->own + p->others;
        uint16_t who = TO_NOBODY;
        if (i < p->own)
            who = 0;
        else if (i < behind)
            who = TO_OTHERS;
        else if (i - behind < p->each * further)
            who = (uint16_t)(1 + (i - behind) % further);
        to[order[i]] = who;
    }
}

/* The mean of records that neither the site nor the others have. */
static void make_guess(float *guess, const struct dataset *data, const uint16_t *to)
{
    const size_t floats = dataset_floats(data);
    size_t n = 0;
    for (size_t i = 0; i < data->n; i++) n += to[i] != 0 && to[i] != TO_OTHERS;
    for (size_t j = 0; j < floats; j++) {
        uint64_t sum = 0;
        for (size_t i = 0; i < data->n; i++)
            if (to[i] != 0 && to[i] != TO_OTHERS) sum += data->pixel[i * floats + j];
        guess[j] = (float)((double)sum / (255.0 * (double)n));
    }
}

enum status inversion_deal(struct inversion *inversion, struct dataset *share,
                           const struct dataset *data, struct rng *rng)
{
    const uint32_t n = inversion->study.sites.expected;
    if (data->n < inversion_least(inversion) || n < 2) return STATUS_RANGE;
    AUTO(inversion_release) uint32_t *order = calloc(data->n, sizeof *order);
    AUTO(inversion_release) uint16_t *to = calloc(data->n, sizeof *to);
    inversion->guess = calloc(dataset_floats(data), sizeof *inversion->guess);
    if (order == NULL || to == NULL || inversion->guess == NULL) return STATUS_NOMEM;
    const struct portions portions = portions_of(inversion, data->n);
    shuffle(order, data->n, rng);
    assign(to, order, data->n, &portions, n - 1);
    make_guess(inversion->guess, data, to);
    for (uint32_t v = 0; v < n; v++) TRY(split_take(&share[v], data, to, (uint16_t)v));
    return split_take(&inversion->other, data, to, TO_OTHERS);
}
