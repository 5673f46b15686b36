/* SPDX-License-Identifier: Apache-2.0 */
/* Shares drawn from a Dirichlet law, and the parts that a partition takes. */
#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/client/pile.h"

enum { SITES = 5 };

/* Sum over sites of the squared share of the site's most frequent class. */
static double concentration(const uint16_t *site)
{
    double sum = 0;
    for (uint16_t s = 0; s < SITES; s++) {
        double held[PILE_CLASSES] = {0};
        double all = 0;
        for (size_t i = 0; i < PILE; i++) {
            if (site[i] != s) continue;
            held[pile_label[i]]++;
            all++;
        }
        double most = fmax(fmax(held[0], held[1]), fmax(held[2], held[3]));
        sum += most / all / SITES;
    }
    return sum;
}

static void every_record_gets_a_site_and_every_site_enough(void)
{
    struct dataset data = pile_records();
    const double alpha[] = {0.05, 0.5, 1, 10, 1000};
    for (size_t a = 0; a < 5; a++) {
        uint16_t site[PILE];
        memset(site, 0xff, sizeof site);
        struct rng rng = {0};
        rng_numbered(&rng, 1);
        CHECK_OK(split_dirichlet(site, &data, SITES, alpha[a], 20, &rng));
        size_t held[SITES] = {0};
        bool known = true;
        for (size_t i = 0; i < PILE; i++) {
            known = known && site[i] < SITES;
            if (site[i] < SITES) held[site[i]]++;
        }
        CHECK(known);
        for (size_t s = 0; s < SITES; s++) CHECK(held[s] >= 20);
    }
}

static void same_seed_same_partition(void)
{
    struct dataset data = pile_records();
    uint16_t site[3][PILE];
    for (uint64_t k = 0; k < 3; k++) {
        struct rng rng = {0};
        rng_numbered(&rng, k / 2);
        CHECK_OK(split_dirichlet(site[k], &data, SITES, 0.5, 1, &rng));
    }
    CHECK_BYTES(site[0], site[1], sizeof site[0]);
    CHECK(memcmp(site[0], site[2], sizeof site[0]) != 0);
}

static void records_of_a_class_are_shuffled(void)
{
    static uint8_t same[100];
    struct dataset data = pile_records();
    data.n = 100;
    data.label = same;
    uint16_t site[100];
    struct rng rng = {0};
    rng_numbered(&rng, 9);
    CHECK_OK(split_dirichlet(site, &data, 2, 1000, 1, &rng));
    size_t changes = 0;
    for (size_t i = 1; i < 100; i++) changes += site[i] != site[i - 1];
    CHECK(changes > 20);
}

static void small_alpha_is_more_unequal(void)
{
    struct dataset data = pile_records();
    uint16_t site[PILE];
    struct rng rng = {0};
    rng_numbered(&rng, 2);
    CHECK_OK(split_dirichlet(site, &data, SITES, 0.05, 10, &rng));
    double unequal = concentration(site);
    CHECK_OK(split_dirichlet(site, &data, SITES, 1000, 10, &rng));
    double equal = concentration(site);
    /* The set's own largest class is half of it, since every second square is 0 modulo 4. */
    CHECK(unequal > 0.75);
    CHECK_CLOSE(0.5, equal, 0.05);
}

static void shares_have_the_variance_of_a_dirichlet(void)
{
    /* One class, two sites: the share is Beta(alpha, alpha), of variance 1 / (4 (2 alpha + 1)).
     * Over 4000 draws the estimate's deviation is below 3 %; 15 % is five of them. */
    static uint8_t same[100];
    struct dataset data = pile_records();
    data.n = 100;
    data.label = same;
    const double alpha[] = {0.2, 1, 5};
    for (size_t a = 0; a < 3; a++) {
        struct rng rng = {0};
        rng_numbered(&rng, 3);
        double squares = 0;
        double sum = 0;
        for (size_t draw = 0; draw < 4000; draw++) {
            uint16_t site[100];
            size_t held = 0;
            CHECK_OK(split_dirichlet(site, &data, 2, alpha[a], 0, &rng));
            for (size_t i = 0; i < 100; i++) held += site[i] == 0;
            double share = ((double)held + 0.5) / 100;
            squares += (share - 0.5) * (share - 0.5) / 4000;
            sum += share / 4000;
        }
        double want = 1 / (4 * (2 * alpha[a] + 1));
        CHECK_CLOSE(want, squares, 0.15 * want);
        CHECK_CLOSE(0.5, sum, 0.05);
    }
}

static void what_cannot_be_met_is_refused(void)
{
    struct dataset data = pile_records();
    uint16_t site[PILE];
    uint16_t before[PILE];
    memset(site, 0x5a, sizeof site);
    memset(before, 0x5a, sizeof before);
    struct rng rng = {0};
    rng_numbered(&rng, 4);
    CHECK_STATUS(STATUS_RANGE, split_dirichlet(site, &data, 0, 1, 0, &rng));
    CHECK_STATUS(STATUS_RANGE, split_dirichlet(site, &data, 65536, 1, 0, &rng));
    CHECK_STATUS(STATUS_RANGE, split_dirichlet(site, &data, SITES, 0, 0, &rng));
    CHECK_STATUS(STATUS_RANGE, split_dirichlet(site, &data, SITES, (double)NAN, 0, &rng));
    CHECK_STATUS(STATUS_RANGE, split_dirichlet(site, &data, SITES, HUGE_VAL, 0, &rng));
    CHECK_STATUS(STATUS_RANGE, split_dirichlet(site, &data, SITES, 1, PILE / SITES + 1, &rng));
    /* Possible, but not in 1000 draws. */
    CHECK_STATUS(STATUS_RANGE, split_dirichlet(site, &data, SITES, 0.01, PILE / SITES, &rng));
    CHECK_BYTES(before, site, sizeof site);
}

static void parts_hold_all_records_of_their_site_in_order(void)
{
    struct dataset data = pile_records();
    uint16_t site[PILE];
    struct rng rng = {0};
    rng_numbered(&rng, 5);
    CHECK_OK(split_dirichlet(site, &data, SITES, 0.5, 1, &rng));
    size_t all = 0;
    for (uint16_t s = 0; s < SITES; s++) {
        AUTO(dataset_free) struct dataset part = {0};
        CHECK_OK(split_take(&part, &data, site, s));
        CHECK_NUMBER(PILE_CLASSES, part.classes);
        size_t at = 0;
        bool right = true;
        for (size_t i = 0; i < PILE; i++) {
            if (site[i] != s) continue;
            right = right && part.pixel[at] == pile_pixel[i] && part.label[at] == pile_label[i];
            at++;
        }
        CHECK(right);
        CHECK_NUMBER(at, part.n);
        all += part.n;
    }
    CHECK_NUMBER(PILE, all);
    struct dataset none = {.n = 77};
    CHECK_STATUS(STATUS_RANGE, split_take(&none, &data, site, SITES));
    CHECK_NUMBER(77, none.n);
}

static void memory_may_end_anywhere(void)
{
    struct dataset data = pile_records();
    OOM_EACH {
        uint16_t site[PILE] = {0};
        struct rng rng = {0};
        rng_numbered(&rng, 6);
        AUTO(dataset_free) struct dataset part = {0};
        enum status status = split_dirichlet(site, &data, SITES, 1, 1, &rng);
        if (status == STATUS_OK) status = split_take(&part, &data, site, 0);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((status == STATUS_OK) == (part.pixel != NULL));
    }
}

int main(void)
{
    RUN(every_record_gets_a_site_and_every_site_enough);
    RUN(same_seed_same_partition);
    RUN(records_of_a_class_are_shuffled);
    RUN(small_alpha_is_more_unequal);
    RUN(shares_have_the_variance_of_a_dirichlet);
    RUN(what_cannot_be_met_is_refused);
    RUN(parts_hold_all_records_of_their_site_in_order);
    RUN(memory_may_end_anywhere);
    return check_done();
}
