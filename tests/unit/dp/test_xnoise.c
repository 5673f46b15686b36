/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/xnoise.h"

#include <math.h>
#include <string.h>

#include "dp/noise.h"
#include "tests/lib/check.h"

static const uint32_t sigmas[] = {4, 5, 17, 100, 1581, 65535, 1000003, NOISE_SIGMA_MAX};
#define SIGMAS (sizeof sigmas / sizeof *sigmas)

/* A federation, and its noise for the number of dropouts in hand. */
struct world {
    uint32_t sigma, cohort, quorum, colluding, dropped;
    struct xnoise parts;
};

/* Every federation of up to 24 sites, some large ones, at each sigma and number of dropouts. */
static void each(void (*look)(const struct world *w))
{
    for (size_t i = 0; i < SIGMAS; i++) {
        for (uint32_t n = 1; n <= 512; n = n < 24 ? n + 1 : n * 2 + 1) {
            for (uint32_t quorum = n > 64 ? n - 64 : 1; quorum <= n; quorum += n > 24 ? 9 : 1) {
                for (uint32_t c = 0; c < quorum && c <= 9; c += n > 24 ? 3 : 1) {
                    struct world w = {sigmas[i], n, quorum, c, 0, {0}};
                    if (xnoise_of(&w.parts, w.sigma, n, quorum, c) != STATUS_OK) {
                        CHECK(w.sigma < 20);
                        continue;
                    }
                    for (; w.dropped <= n - quorum; w.dropped++) look(&w);
                }
            }
        }
    }
}

__extension__ typedef unsigned __int128 wide;

/* What the honest survivors keep, and what was promised. */
static wide kept_of(const struct world *w)
{
    return (wide)xnoise_kept(&w->parts, w->dropped) * (w->cohort - w->dropped - w->colluding);
}

static wide target_of(const struct world *w)
{
    return (wide)w->sigma * w->sigma * (w->quorum - w->colluding);
}

static void look_below(const struct world *w)
{
    CHECK(kept_of(w) >= target_of(w));
}

static void no_sum_has_less_than_the_target(void)
{
    each(look_below);
}

/* By the last part drawn alone: what is kept before a part is drawn was not enough, and a part is
 * not larger than it has to be. */
static void look_above(const struct world *w)
{
    uint32_t last = w->dropped;
    while (last > 0 && w->parts.sigma[last] == 0) last--;
    const uint32_t part = w->parts.sigma[last];
    if (part == NOISE_SIGMA_MIN) return;
    const uint64_t less = xnoise_kept(&w->parts, last) - 2 * (uint64_t)part + 1;
    CHECK((wide)less * (w->cohort - last - w->colluding) < target_of(w));
}

static void nor_more_than_one_part_rounded_up(void)
{
    each(look_above);
}

static void look_at_ring(const struct world *w)
{
    const wide all = (wide)xnoise_kept(&w->parts, w->dropped) * (w->cohort - w->dropped);
    CHECK(all <= (wide)w->sigma * w->sigma * w->cohort);
}

static void no_sum_has_more_than_the_ring_is_planned_for(void)
{
    each(look_at_ring);
}

static void look_at_parts(const struct world *w)
{
    CHECK_NUMBER(w->cohort - w->quorum, w->parts.removable);
    CHECK(w->parts.sigma[0] >= NOISE_SIGMA_MIN);
    for (uint32_t k = 0; k <= XNOISE_REMOVABLE_MAX; k++) {
        const uint32_t sigma = w->parts.sigma[k];
        CHECK(sigma == 0 || (k <= w->parts.removable && sigma >= NOISE_SIGMA_MIN));
        CHECK(sigma <= w->sigma);
    }
}

static void a_part_is_nothing_or_large_enough_for_the_account(void)
{
    each(look_at_parts);
}

/* As Jiang, Wang and Chen have it: V/n, and V/((n-k+1)(n-k)) for the k-th. */
static void the_parts_are_those_of_the_paper(void)
{
    struct xnoise parts;
    CHECK_OK(xnoise_of(&parts, 1000000, 20, 13, 4));
    CHECK_NUMBER(7, parts.removable);
    const double target = 9e12;
    CHECK_CLOSE(sqrt(target / 16), parts.sigma[0], 1.0);
    for (uint32_t k = 1; k <= 7; k++)
        CHECK_CLOSE(sqrt(target / ((17 - k) * (16 - k))), parts.sigma[k], 10.0);
}

static void without_dropouts_it_is_a_whole_share(void)
{
    struct xnoise parts;
    CHECK_OK(xnoise_of(&parts, 1234, 8, 8, 3));
    CHECK_NUMBER(0, parts.removable);
    CHECK_NUMBER(1234, parts.sigma[0]);
    CHECK_NUMBER(0, parts.sigma[1]);
}

static void refuse(uint32_t sigma, uint32_t cohort, uint32_t quorum, uint32_t colluding)
{
    struct xnoise out, before;
    memset(&out, 7, sizeof out);
    before = out;
    CHECK_STATUS(STATUS_RANGE, xnoise_of(&out, sigma, cohort, quorum, colluding));
    CHECK_BYTES(&before, &out, sizeof out);
}

static void what_cannot_be_divided_is_refused(void)
{
    refuse(NOISE_SIGMA_MIN - 1, 8, 8, 1);
    refuse(0, 8, 5, 1);
    refuse(NOISE_SIGMA_MAX + 1, 8, 5, 1);
    refuse(100, 8, 5, 5);
    refuse(100, 8, 9, 1);
    refuse(100000, 512, 512 - XNOISE_REMOVABLE_MAX - 1, 10);
    struct xnoise parts;
    CHECK_OK(xnoise_of(&parts, 100000, 512, 512 - XNOISE_REMOVABLE_MAX, 10));
}

/* Three honest of ten keep 75 together: with 4 each none may drop out, with a second 4 eleven have
 * more than twelve shares of 25. Where 4 is enough for all dropouts nothing else is drawn. */
static void noise_that_rounding_would_double_is_refused(void)
{
    refuse(5, 12, 10, 7);
    struct xnoise parts;
    CHECK_OK(xnoise_of(&parts, 4, 8, 5, 1));
    CHECK_NUMBER(4, parts.sigma[0]);
    CHECK_NUMBER(0, parts.sigma[1] + parts.sigma[2] + parts.sigma[3]);
}

int main(void)
{
    RUN(no_sum_has_less_than_the_target);
    RUN(nor_more_than_one_part_rounded_up);
    RUN(no_sum_has_more_than_the_ring_is_planned_for);
    RUN(a_part_is_nothing_or_large_enough_for_the_account);
    RUN(the_parts_are_those_of_the_paper);
    RUN(without_dropouts_it_is_a_whole_share);
    RUN(what_cannot_be_divided_is_refused);
    RUN(noise_that_rounding_would_double_is_refused);
    return check_done();
}
