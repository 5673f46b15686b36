/* SPDX-License-Identifier: Apache-2.0 */
/* What entries add up to, without any file. */
#include "protocol/books.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define DELTA 1e-5
#define ORDER 8
#define COLLUDING 2

static const struct release worst = {
    .norm2 = 1000000, .sigma = 2000, .n_shares = 3, .dim = 100, .sampling = 1};
static const struct hash patients = {{1}}, sites = {{2}}, elsewhere = {{3}};

static void add(struct books *books, const struct ledger_entry *entry)
{
    CHECK(books_against(books, entry) == NULL);
    CHECK_OK(books_add(books, entry));
}

static struct ledger_entry set_of(const char *name, enum study_unit unit)
{
    struct ledger_entry e = {
        .kind = LEDGER_OPEN, .unit = unit, .order = ORDER, .epsilon = 10, .delta = DELTA};
    (void)snprintf(e.data_set, sizeof e.data_set, "%s", name);
    return e;
}

static struct ledger_entry study_of(const struct hash *manifest, const char *set,
                                    enum study_unit unit)
{
    struct ledger_entry e = {.kind = LEDGER_STUDY,
                             .manifest = *manifest,
                             .unit = unit,
                             .order = ORDER,
                             .epsilon = 3,
                             .delta = DELTA,
                             .colluding = COLLUDING};
    (void)snprintf(e.data_set, sizeof e.data_set, "%s", set);
    (void)snprintf(e.study, sizeof e.study, "study");
    return e;
}

static struct ledger_entry reserve(const struct hash *manifest, uint32_t round)
{
    return (struct ledger_entry){.kind = LEDGER_RESERVE,
                                 .manifest = *manifest,
                                 .round = round,
                                 .step = STEP_TRAIN,
                                 .release = worst};
}

/* Two studies of both units on one data set, a third on another. */
static void begin(struct books *books, enum study_unit unit)
{
    const struct ledger_entry entry[] = {
        set_of("x-rays", unit), set_of("other", unit), study_of(&patients, "x-rays", STUDY_PATIENT),
        study_of(&sites, "x-rays", STUDY_SITE), study_of(&elsewhere, "other", STUDY_PATIENT)};
    for (size_t i = 0; i < sizeof entry / sizeof *entry; i++) add(books, &entry[i]);
}

static double epsilon_of(uint64_t norm2, uint32_t n_shares, uint32_t times)
{
    struct release release = worst;
    release.norm2 = norm2;
    release.n_shares = n_shares;
    struct account account = {0};
    CHECK_OK(account_add(&account, &release, times));
    return account_epsilon_at(&account, ORDER, DELTA);
}

static double study_epsilon(const struct books *books, size_t study, enum adversary who)
{
    struct account account = {0};
    CHECK_OK(books_of_study(&account, NULL, books, study, who));
    return books_epsilon(&account, ORDER, DELTA, (struct books_sampler){0});
}

static double set_epsilon(const struct books *books, size_t set)
{
    struct account account = {0};
    CHECK_OK(books_of_set(&account, NULL, books, set, ADVERSARY_COLLUSION));
    return books_epsilon(&account, ORDER, DELTA, (struct books_sampler){0});
}

static void each_adversary_knows_other_shares(void)
{
    AUTO(books_free) struct books books = {0};
    begin(&books, STUDY_PATIENT);
    const struct ledger_entry entry = reserve(&patients, 1);
    add(&books, &entry);
    CHECK_CLOSE(epsilon_of(1000000, 3, 1), study_epsilon(&books, 0, ADVERSARY_COLLUSION), 1e-12);
    CHECK_CLOSE(epsilon_of(1000000, 5, 1), study_epsilon(&books, 0, ADVERSARY_SERVER), 1e-12);
    CHECK_CLOSE(epsilon_of(1000000, 5, 1), study_epsilon(&books, 0, ADVERSARY_READER), 1e-12);
    CHECK_CLOSE(epsilon_of(1000000, 1, 1), study_epsilon(&books, 0, ADVERSARY_UNMASKED), 1e-12);
}

/* What more survivors add is gone; and a site by itself keeps 3 of 3 + 9 parts of its variance. */
static void of_removable_noise_nobody_counts_more_than_what_is_certain(void)
{
    const struct release release = {
        .norm2 = 1000000, .sigma = 1000, .n_shares = 3, .dim = 10, .sampling = 1, .removable = 9};
    for (enum adversary who = 0; who < ADVERSARY_UNMASKED; who++) {
        const struct release seen = adversary_release(who, &release, COLLUDING);
        CHECK_NUMBER(3, seen.n_shares);
        CHECK_NUMBER(1000, seen.sigma);
    }
    const struct release seen = adversary_release(ADVERSARY_UNMASKED, &release, COLLUDING);
    CHECK_NUMBER(1, seen.n_shares);
    CHECK_NUMBER(1000, seen.sigma);
    CHECK_NUMBER(4000000, seen.norm2);
}

/* Not to a whole sigma, and never in favour of who asks. */
static void what_one_site_keeps_is_counted_exactly(void)
{
    struct release little = {
        .norm2 = 100, .sigma = 7, .n_shares = 3, .dim = 10, .sampling = 1, .removable = 1};
    struct release seen = adversary_release(ADVERSARY_UNMASKED, &little, COLLUDING);
    CHECK_NUMBER(7, seen.sigma);
    CHECK_NUMBER(134, seen.norm2); /* 133.3 */
    little.norm2 = UINT64_MAX / 4 * 3;
    seen = adversary_release(ADVERSARY_UNMASKED, &little, COLLUDING);
    CHECK_NUMBER(7, seen.sigma);
    CHECK_NUMBER(UINT64_MAX / 4 * 4, seen.norm2);
    little.norm2 = UINT64_MAX; /* nothing that large is bounded */
    CHECK_NUMBER(0, adversary_release(ADVERSARY_UNMASKED, &little, COLLUDING).sigma);
}

static void each_adversary_has_a_name(void)
{
    char name[64];
    adversary_name(name, sizeof name, ADVERSARY_SERVER, 2);
    CHECK(strcmp(name, "server") == 0);
    adversary_name(name, sizeof name, ADVERSARY_COLLUSION, 1);
    CHECK(strcmp(name, "server and 1 site") == 0);
    adversary_name(name, sizeof name, ADVERSARY_COLLUSION, 2);
    CHECK(strcmp(name, "server and 2 sites") == 0);
    adversary_name(name, sizeof name, ADVERSARY_READER, 2);
    CHECK(strcmp(name, "model reader") == 0);
    adversary_name(name, sizeof name, ADVERSARY_UNMASKED, 2);
    CHECK(strcmp(name, "server, if the masks were broken") == 0);
}

/* A patient's record moves a site's update by twice the bound of the update. */
static void a_data_set_counts_all_its_studies_in_its_own_unit(void)
{
    AUTO(books_free) struct books books = {0};
    begin(&books, STUDY_PATIENT);
    const struct ledger_entry entry[] = {reserve(&sites, 1), reserve(&elsewhere, 1)};
    for (size_t i = 0; i < 2; i++) add(&books, &entry[i]);
    CHECK_CLOSE(epsilon_of(1000000, 3, 1), study_epsilon(&books, 1, ADVERSARY_COLLUSION), 1e-12);
    CHECK_CLOSE(epsilon_of(4000000, 3, 1), set_epsilon(&books, 0), 1e-12);
    CHECK_CLOSE(epsilon_of(1000000, 3, 1), set_epsilon(&books, 1), 1e-12);
    const struct ledger_entry more = reserve(&patients, 1);
    add(&books, &more);
    CHECK_CLOSE(epsilon_of(5000000, 3, 1), set_epsilon(&books, 0), 1e-6);
}

static void what_protects_patients_bounds_nothing_for_a_site(void)
{
    AUTO(books_free) struct books books = {0};
    begin(&books, STUDY_SITE);
    struct ledger_entry entry = reserve(&sites, 1);
    add(&books, &entry);
    CHECK_CLOSE(epsilon_of(1000000, 3, 1), set_epsilon(&books, 0), 1e-12);
    entry = reserve(&patients, 1);
    add(&books, &entry);
    CHECK(isinf(set_epsilon(&books, 0)));
    CHECK(isfinite(study_epsilon(&books, 0, ADVERSARY_COLLUSION)));
}

static void a_norm_that_cannot_be_doubled_bounds_nothing(void)
{
    struct release release = worst;
    release.norm2 = UINT64_MAX / 4 + 1;
    CHECK_NUMBER(0, books_in_unit(release, STUDY_SITE, STUDY_PATIENT).sigma);
    release.norm2--;
    CHECK_NUMBER(worst.sigma, books_in_unit(release, STUDY_SITE, STUDY_PATIENT).sigma);
}

static void a_limit_is_reached_and_not_crossed(void)
{
    AUTO(books_free) struct books books = {0};
    begin(&books, STUDY_PATIENT);
    struct books_refusal why = {0};
    struct books_limits limits = {epsilon_of(1000000, 3, 2), (double)INFINITY, DELTA};
    const struct ledger_entry entry = reserve(&patients, 1);
    add(&books, &entry);
    CHECK_OK(books_bear(&books, 0, &worst, &limits, &why));
    limits.study -= 1e-12;
    CHECK_STATUS(STATUS_BUDGET, books_bear(&books, 0, &worst, &limits, &why));
    CHECK(!why.lifetime && why.after > why.limit);
    limits = (struct books_limits){(double)INFINITY, epsilon_of(1000000, 3, 2), DELTA};
    CHECK_OK(books_bear(&books, 0, &worst, &limits, &why));
    /* another study on the same set has as much left, reckoned for patients */
    CHECK_STATUS(STATUS_BUDGET, books_bear(&books, 1, &worst, &limits, &why));
    CHECK(why.lifetime);
    limits.lifetime = epsilon_of(5000000, 3, 1) * (1 + 1e-9);
    CHECK_OK(books_bear(&books, 1, &worst, &limits, &why));
    /* and one on another set has everything */
    limits.lifetime = epsilon_of(1000000, 3, 1);
    CHECK_OK(books_bear(&books, 2, &worst, &limits, &why));
}

static void no_noise_crosses_every_limit(void)
{
    AUTO(books_free) struct books books = {0};
    begin(&books, STUDY_PATIENT);
    struct books_refusal why = {0};
    struct release bare = worst;
    bare.sigma = 0;
    struct books_limits limits = {100, (double)INFINITY, DELTA};
    CHECK_STATUS(STATUS_BUDGET, books_bear(&books, 0, &bare, &limits, &why));
    CHECK(isinf(why.after));
    limits = (struct books_limits){(double)INFINITY, 1000, DELTA};
    CHECK_STATUS(STATUS_BUDGET, books_bear(&books, 0, &bare, &limits, &why));
    limits.lifetime = (double)INFINITY;
    CHECK_OK(books_bear(&books, 0, &bare, &limits, &why));
    /* what can not be a release is never borne */
    bare.dim = 0;
    limits.study = 100;
    CHECK_STATUS(STATUS_BUDGET, books_bear(&books, 0, &bare, &limits, &why));
}

static void samplers_take_their_part_of_every_delta(void)
{
    AUTO(books_free) struct books books = {0};
    struct ledger_entry set = set_of("x-rays", STUDY_PATIENT),
                        study = study_of(&patients, "x-rays", STUDY_PATIENT);
    study.sampler_delta = 4e-6;
    add(&books, &set);
    add(&books, &study);
    study.manifest = sites;
    add(&books, &study);
    CHECK_CLOSE(8e-6, books.set[0].sampler.delta, 1e-18);
    struct account account = {0};
    CHECK_OK(account_add(&account, &worst, 1));
    CHECK(books_epsilon(&account, ORDER, DELTA, books.set[0].sampler) >=
          account_epsilon_at(&account, ORDER, DELTA - 8e-6));
    CHECK(books_epsilon(&account, RDP_ORDERS, DELTA, books.set[0].sampler) >=
          account_epsilon(&account, DELTA - 8e-6));
    CHECK(isinf(books_epsilon(&account, ORDER, DELTA, (struct books_sampler){DELTA, 3})));
    struct books_refusal why = {0};
    struct books_limits limits = {(double)INFINITY, 1000, 8e-6};
    CHECK_STATUS(STATUS_BUDGET, books_bear(&books, 0, &worst, &limits, &why));
    limits.lifetime_delta = 9e-6;
    CHECK_OK(books_bear(&books, 0, &worst, &limits, &why));
}

/* What is reckoned for epsilon 3 is exp(7) times as much at 10. */
static void a_larger_epsilon_takes_more_of_delta_for_the_sampler(void)
{
    struct account account = {0};
    CHECK_OK(account_add(&account, &worst, 30));
    for (uint32_t order = 0; order <= RDP_ORDERS; order++) {
        for (double taken = 1e-14; taken < DELTA; taken *= 3) {
            const struct books_sampler sampler = {taken, 3};
            const double epsilon = books_epsilon(&account, order, DELTA, sampler);
            if (isinf(epsilon)) continue;
            CHECK(epsilon > 3);
            const double left = DELTA - taken * (1 + exp(epsilon)) / (1 + exp(3.0));
            const double least = order < RDP_ORDERS ? account_epsilon_at(&account, order, left)
                                                    : account_epsilon(&account, left);
            CHECK(left > 0 && epsilon >= least && epsilon <= least * (1 + 1e-3));
        }
    }
    const struct books_sampler little = {1e-14, 3}, much = {9e-6, 3};
    CHECK(isfinite(books_epsilon(&account, RDP_ORDERS, DELTA, little)));
    CHECK(isinf(books_epsilon(&account, RDP_ORDERS, DELTA, much)));
}

static void what_takes_nothing_takes_nothing_at_any_epsilon(void)
{
    struct account account = {0};
    CHECK_OK(account_add(&account, &worst, 60000));
    const double epsilon = books_epsilon(&account, RDP_ORDERS, DELTA, (struct books_sampler){0, 3});
    CHECK(epsilon > 1000);
    CHECK_CLOSE(account_epsilon(&account, DELTA), epsilon, 0);
    CHECK_CLOSE(0, books_sampler_due((struct books_sampler){0, (double)INFINITY}, 1000), 0);
}

static void a_data_set_takes_the_least_epsilon_of_its_studies(void)
{
    AUTO(books_free) struct books books = {0};
    struct ledger_entry set = set_of("x-rays", STUDY_PATIENT);
    add(&books, &set);
    for (uint8_t i = 1; i <= 3; i++) {
        struct ledger_entry study = study_of(&(struct hash){{i}}, "x-rays", STUDY_PATIENT);
        study.sampler_delta = 1e-14;
        study.epsilon = i == 2 ? 1 : 4;
        add(&books, &study);
    }
    CHECK_CLOSE(3e-14, books.set[0].sampler.delta, 1e-20);
    CHECK_CLOSE(1, books.set[0].sampler.epsilon, 0);
    CHECK_CLOSE(4, books.study[0].sampler.epsilon, 0);
}

static void rules_have_names(void)
{
    AUTO(books_free) struct books books = {0};
    begin(&books, STUDY_PATIENT);
    struct ledger_entry entry = set_of("x-rays", STUDY_PATIENT);
    CHECK(strstr(books_against(&books, &entry), "data set was opened") != NULL);
    entry = study_of(&patients, "x-rays", STUDY_PATIENT);
    CHECK(strstr(books_against(&books, &entry), "study was opened") != NULL);
    entry = study_of(&(struct hash){{9}}, "nowhere", STUDY_PATIENT);
    CHECK(strstr(books_against(&books, &entry), "not opened") != NULL);
    entry = reserve(&(struct hash){{9}}, 1);
    CHECK(strstr(books_against(&books, &entry), "not opened") != NULL);
    entry = reserve(&patients, 1);
    entry.signer[0] = 1;
    CHECK(strstr(books_against(&books, &entry), "another key") != NULL);
    entry = reserve(&patients, 1);
    add(&books, &entry);
    CHECK(strstr(books_against(&books, &entry), "reserved before") != NULL);
    entry.kind = LEDGER_SETTLE;
    entry.release = (struct release){.n_shares = 2};
    CHECK(strstr(books_against(&books, &entry), "more than the worst") != NULL);
    entry.round = 2;
    CHECK(strstr(books_against(&books, &entry), "not reserved") != NULL);
    entry = reserve(&patients, 3);
    entry.release.removable = 2;
    add(&books, &entry);
    entry.kind = LEDGER_SETTLE;
    entry.release = (struct release){.n_shares = worst.n_shares + 1};
    CHECK(strstr(books_against(&books, &entry), "taken away") != NULL);
    entry.release.n_shares = worst.n_shares;
    CHECK(books_against(&books, &entry) == NULL);
}

static void running_out_of_memory_changes_nothing(void)
{
    const struct ledger_entry entry[] = {set_of("x-rays", STUDY_PATIENT),
                                         study_of(&patients, "x-rays", STUDY_PATIENT),
                                         reserve(&patients, 1)};
    struct books books = {0};
    for (size_t i = 0; i < 3; i++) {
        OOM_EACH {
            const enum status status = books_add(&books, &entry[i]);
            oom_stop();
            if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
            CHECK_NUMBER(i + (status == STATUS_OK),
                         books.n_sets + books.n_studies + books.n_releases);
        }
    }
    OOM_EACH {
        struct account account = {{7}};
        const enum status status = books_of_study(&account, NULL, &books, 0, ADVERSARY_SERVER);
        oom_stop();
        if (status == STATUS_OK) continue;
        CHECK_STATUS(STATUS_NOMEM, status);
        CHECK_CLOSE(7, account.rdp[0], 0);
    }
    books_free(&books);
}

int main(void)
{
    RUN(each_adversary_knows_other_shares);
    RUN(of_removable_noise_nobody_counts_more_than_what_is_certain);
    RUN(what_one_site_keeps_is_counted_exactly);
    RUN(each_adversary_has_a_name);
    RUN(a_data_set_counts_all_its_studies_in_its_own_unit);
    RUN(what_protects_patients_bounds_nothing_for_a_site);
    RUN(a_norm_that_cannot_be_doubled_bounds_nothing);
    RUN(a_limit_is_reached_and_not_crossed);
    RUN(no_noise_crosses_every_limit);
    RUN(samplers_take_their_part_of_every_delta);
    RUN(a_larger_epsilon_takes_more_of_delta_for_the_sampler);
    RUN(what_takes_nothing_takes_nothing_at_any_epsilon);
    RUN(a_data_set_takes_the_least_epsilon_of_its_studies);
    RUN(rules_have_names);
    RUN(running_out_of_memory_changes_nothing);
    return check_done();
}
