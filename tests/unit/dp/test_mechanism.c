/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/mechanism.h"

#include <math.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static const struct mechanism ALL[] = {
    {MECHANISM_GAUSSIAN, 0.7, 1, 1, 1.0, false, 1},
    {MECHANISM_GAUSSIAN, 0.7, 1, 1, 0.1, false, 1},
    {MECHANISM_GAUSSIAN, 0.7, 1, 1, 0.1, true, 1},
    {MECHANISM_LAPLACE, 0.7, 1, 1, 1.0, false, 1},
    {MECHANISM_LAPLACE, 0.7, 1, 1, 0.1, false, 1},
    {MECHANISM_DISCRETE_GAUSSIAN, 1.5, 2, 1, 1.0, false, 1},
    {MECHANISM_DISCRETE_GAUSSIAN, 0.5, 1, 5, 0.3, false, 1},
    {MECHANISM_SKELLAM, 2.0, 1, 1, 0.2, false, 1},
};
#define N_ALL (sizeof ALL / sizeof *ALL)
#define TAIL 1e-12
#define STEP 0.003

struct sums {
    double chance, other, loss, least, most;
};

static void add(void *to, double loss, double chance)
{
    struct sums *s = to;
    s->chance += chance;
    s->other += chance * exp(-loss);
    s->loss += chance * loss;
    s->least = fmin(s->least, loss);
    s->most = fmax(s->most, loss);
}

static struct sums walk_all(const struct mechanism *m, enum mechanism_pair pair)
{
    AUTO(mechanism_walk_free) struct mechanism_walk walk = {0};
    CHECK_OK(mechanism_walk_new(&walk, m, pair, TAIL));
    struct sums s = {.least = 1e300, .most = -1e300};
    mechanism_walk_each(&walk, STEP, 0.0, add, &s);
    CHECK(s.least >= walk.least - STEP && s.most <= walk.most + STEP);
    return s;
}

/* Both laws of a pair are laws: chances add up to 1, and so do chances times exp(-loss). */
static void losses_are_those_of_two_laws(void)
{
    for (size_t i = 0; i < N_ALL; i++)
        for (int pair = 0; pair <= 1; pair++) {
            struct sums s = walk_all(&ALL[i], (enum mechanism_pair)pair);
            CHECK_CLOSE(1.0, s.chance, 1e-9);
            /* what is cut off among the small losses is handed out at their end */
            CHECK_CLOSE(1.0, s.other, 1e-9 + 2.0 * TAIL * exp(-s.least));
        }
}

/* Easier to tell apart, and by hardly more: a step's variance. */
static void a_little_more(double entropy, const struct mechanism *m)
{
    for (int pair = 0; pair <= 1; pair++) {
        const double loss = walk_all(m, (enum mechanism_pair)pair).loss;
        CHECK(loss >= entropy - 1e-9 && loss <= entropy + STEP * STEP);
    }
}

/* The mean loss of a Gaussian is 1 / (2 z^2), of Laplace exp(-1/b) - 1 + 1/b. */
static void mean_losses_are_relative_entropies_and_a_little_more(void)
{
    a_little_more(0.5 / 0.49, &ALL[0]);
    a_little_more(expm1(-1.0 / 0.7) + 1.0 / 0.7, &ALL[3]);
    a_little_more(4.0 / 2.0 / 2.25, &ALL[5]);
}

static void only_sampling_breaks_the_symmetry(void)
{
    for (size_t i = 0; i < N_ALL; i++) {
        bool same = fabs(walk_all(&ALL[i], MECHANISM_ADD).loss -
                         walk_all(&ALL[i], MECHANISM_REMOVE).loss) < 1e-9;
        CHECK(same == mechanism_symmetric(&ALL[i]));
    }
}

static void largest_loss_is_known_for_laplace(void)
{
    CHECK(isinf(mechanism_pure(&ALL[0])) && isinf(mechanism_pure(&ALL[7])));
    CHECK_CLOSE(1.0 / 0.7, mechanism_pure(&ALL[3]), 1e-9);
    CHECK_CLOSE(log(1.0 + 0.1 * expm1(1.0 / 0.7)), mechanism_pure(&ALL[4]), 1e-9);
    CHECK(mechanism_sampled(500.0, 0.5) < 500.0 && mechanism_sampled(-5.0, 0.5) > -M_LN2);
    CHECK(mechanism_sampled(800.0, 1e-3) < 800.0 && isfinite(mechanism_sampled(800.0, 1e-3)));
}

static void bad_mechanism_is_refused(void)
{
    struct mechanism bad[10];
    for (size_t i = 0; i < 10; i++) bad[i] = ALL[1];
    bad[0].noise = 0.0;
    bad[1].noise = (double)NAN;
    bad[2].noise = 2e6;
    bad[3].sampling = 0.0;
    bad[4].sampling = 1.1;
    bad[5].times = 0;
    bad[6].shift = 2;
    bad[7].shares = 0;
    bad[8] = ALL[3];
    bad[8].replace = true;
    bad[9] = ALL[5];
    bad[9].noise = 1e6; /* too wide for a table */
    struct mechanism_walk walk = {0};
    for (size_t i = 0; i < 10; i++)
        CHECK_STATUS(STATUS_RANGE, mechanism_walk_new(&walk, &bad[i], MECHANISM_ADD, TAIL));
    for (size_t i = 0; i < 9; i++) CHECK_STATUS(STATUS_RANGE, mechanism_check(&bad[i]));
    CHECK(walk.m == NULL);
    for (size_t i = 0; i < N_ALL; i++) CHECK_OK(mechanism_check(&ALL[i]));
}

static void memory_is_refused_cleanly(void)
{
    struct mechanism_walk walk = {0};
    OOM_EACH {
        enum status status = mechanism_walk_new(&walk, &ALL[6], MECHANISM_ADD, TAIL);
        oom_stop();
        if (status == STATUS_OK) {
            mechanism_walk_free(&walk);
        } else {
            CHECK_STATUS(STATUS_NOMEM, status);
            CHECK(walk.m == NULL);
        }
    }
}

int main(void)
{
    RUN(losses_are_those_of_two_laws);
    RUN(mean_losses_are_relative_entropies_and_a_little_more);
    RUN(only_sampling_breaks_the_symmetry);
    RUN(largest_loss_is_known_for_laplace);
    RUN(bad_mechanism_is_refused);
    RUN(memory_is_refused_cleanly);
    return check_done();
}
