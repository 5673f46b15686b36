/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/terms.h"

#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/small.h"

#define SITES 5

struct desk {
    struct study study;
    struct layout layout;
    struct schedule schedule;
};

static const struct hash manifest = {{7}};

static void set_up(struct desk *desk, enum study_unit unit, double epsilon)
{
    struct settings_error why = {0};
    *desk = (struct desk){0};
    small_study(&desk->study, unit, MODEL_MLP);
    desk->study.privacy.epsilon = epsilon;
    if (unit == STUDY_PATIENT) desk->study.privacy.sampling = 0.1;
    CHECK_OK(layout_of(&desk->layout, &desk->study.model.spec));
    CHECK_OK(schedule_of(&desk->schedule, &desk->study, &desk->layout, SITES, &why));
}

/* What n studies cost at an order, each with its noise, in the lifetime's unit. */
static double cost(const struct desk *desk, const struct lifetime *lifetime, uint32_t n,
                   uint32_t order)
{
    const struct study *study = &desk->study;
    const double z = desk->schedule.z / (study->privacy.unit == lifetime->unit ? 1 : 2);
    const double q = study->privacy.unit == STUDY_PATIENT ? study->privacy.sampling : 1;
    struct account account = {0};
    account.rdp[order] = n * study->rounds.count * rdp_sampled_gaussian(RDP_ORDER[order], z * z, q);
    return account_epsilon_at(&account, order, lifetime->delta);
}

static void a_study_enters_as_it_is(void)
{
    struct desk desk;
    struct terms terms = {0};
    set_up(&desk, STUDY_PATIENT, 2);
    const struct lifetime lifetime = {"x-rays", STUDY_PATIENT, 10, 1e-6};
    CHECK_OK(terms_of(&terms, &desk.schedule, &manifest, &lifetime));
    CHECK(terms.set.kind == LEDGER_OPEN && terms.study.kind == LEDGER_STUDY);
    CHECK(strcmp(terms.set.data_set, "x-rays") == 0);
    CHECK(strcmp(terms.study.data_set, "x-rays") == 0);
    CHECK(strcmp(terms.study.study, desk.study.study.id) == 0);
    CHECK(hash_equal(&terms.study.manifest, &manifest));
    CHECK_CLOSE(10, terms.set.epsilon, 0);
    CHECK_CLOSE(1e-6, terms.set.delta, 0);
    CHECK_CLOSE(2, terms.study.epsilon, 0);
    CHECK_NUMBER(desk.schedule.order, terms.study.order);
    CHECK_NUMBER(desk.study.sites.colluding, terms.study.colluding);
    CHECK_CLOSE(desk.schedule.delta, terms.study.delta - terms.study.sampler_delta, 0);
}

/* At the order that is chosen as many studies fit as at any other, or nearly. */
static void the_order_is_good_for_studies_like_the_first(void)
{
    static const enum study_unit unit[] = {STUDY_PATIENT, STUDY_SITE};
    for (size_t i = 0; i < 2; i++) {
        struct desk desk;
        struct terms terms = {0};
        set_up(&desk, unit[i], 1);
        const struct lifetime lifetime = {"x-rays", STUDY_PATIENT, 10, 1e-5};
        CHECK_OK(terms_of(&terms, &desk.schedule, &manifest, &lifetime));
        uint32_t best = 0, own = 0;
        for (uint32_t order = 0; order < RDP_ORDERS; order++) {
            uint32_t n = 0;
            while (n < 1000 && cost(&desk, &lifetime, n + 1, order) <= 10) n++;
            if (n > best) best = n;
            if (order == terms.set.order) own = n;
        }
        CHECK(best > 1);
        CHECK(10 * own >= 8 * best);
    }
}

static void without_noise_or_without_a_limit_there_is_an_order_too(void)
{
    struct desk desk;
    struct terms terms = {0};
    set_up(&desk, STUDY_SITE, (double)INFINITY);
    struct lifetime lifetime = {"x-rays", STUDY_PATIENT, 10, 1e-5};
    CHECK_OK(terms_of(&terms, &desk.schedule, &manifest, &lifetime));
    CHECK(terms.set.order < RDP_ORDERS && isinf(terms.study.epsilon));
    set_up(&desk, STUDY_SITE, 2);
    lifetime.epsilon = (double)INFINITY;
    CHECK_OK(terms_of(&terms, &desk.schedule, &manifest, &lifetime));
    CHECK_NUMBER(desk.schedule.order, terms.set.order);
}

static void what_cannot_be_a_limit_is_refused(void)
{
    struct desk desk;
    struct terms terms = {.study = {.colluding = 77}};
    set_up(&desk, STUDY_PATIENT, 2);
    const struct lifetime bad[] = {{"", STUDY_PATIENT, 10, 1e-5},
                                   {"x-rays", STUDY_PATIENT, 0, 1e-5},
                                   {"x-rays", STUDY_PATIENT, 10, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STATUS(STATUS_RANGE, terms_of(&terms, &desk.schedule, &manifest, &bad[i]));
    CHECK_NUMBER(77, terms.study.colluding);
}

int main(void)
{
    RUN(a_study_enters_as_it_is);
    RUN(the_order_is_good_for_studies_like_the_first);
    RUN(without_noise_or_without_a_limit_there_is_an_order_too);
    RUN(what_cannot_be_a_limit_is_refused);
    return check_done();
}
