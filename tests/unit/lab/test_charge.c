/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/charge.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lab/folder.h"
#include "tests/lib/check.h"
#include "tests/lib/small.h"

enum { SITES = 5, ROUNDS = 3 };

static char folder[FILE_PATH_MAX], path[FILE_PATH_MAX];

static void put(const char *name, const char *text)
{
    char at[FILE_PATH_MAX];
    CHECK_OK(file_path(at, sizeof at, folder, name));
    CHECK_OK(file_write(at, (struct view){(const uint8_t *)text, strlen(text)}, 0600));
}

/* A site whose patients may spend so much over all studies. */
static void policy(const char *lifetime)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "lifetime_epsilon: %s\nmin_contributors: 2\ndata_set: chest\n", lifetime);
    put("policy.yaml", text);
}

static void study(const char *privacy, const char *rounds)
{
    char text[640];
    (void)snprintf(
        text, sizeof text,
        "schema: 1\nstudy: {id: charged}\nsites: {expected: 5, colluding: 1, min_contributors: 2}\n"
        "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [4, 4]}\n"
        "privacy: {epsilon: 3.0, delta: 1.0e-5, clip: 1, %s}\npruning: {mode: none}\n"
        "rounds: {%s}\n",
        privacy, rounds);
    put("study.yaml", text);
}

static void open_fleet(struct fleet *fleet, uint64_t seed)
{
    struct study study = {0};
    struct settings_error error = {0};
    struct site_error why = {0};
    struct dataset share[SITES] = {{0}};
    AUTO(state_free) struct state initial = {0};
    const struct fleet_settings settings = {.study = path, .seed = seed, .threads = 2};
    CHECK_OK(study_read(&study, path, &error));
    small_state(&initial, &study, false);
    for (uint32_t v = 0; v < SITES; v++) small_data(&share[v], &study, 20, v);
    CHECK_OK(fleet_open(fleet, &settings, share, initial.weight, &why));
}

/* What the ledger says of its last study. */
static void count(uint32_t *reserved, uint32_t *settled, uint32_t *void_ones, size_t *studies)
{
    char at[FILE_PATH_MAX];
    struct ledger_fault fault = {0};
    AUTO(ledger_close) struct ledger ledger = {0};
    CHECK_OK(file_path(at, sizeof at, folder, "ledger.db"));
    CHECK_OK(ledger_open(&ledger, at, NULL, &fault));
    *reserved = *settled = *void_ones = 0;
    *studies = ledger.books.n_studies;
    for (size_t i = 0; i < ledger.books.n_releases; i++) {
        const struct books_release *release = &ledger.books.release[i];
        if (release->study + 1 != ledger.books.n_studies) continue;
        *reserved += release->state == BOOKS_RESERVED;
        *settled += release->state == BOOKS_SETTLED;
        *void_ones += release->state == BOOKS_VOID;
    }
}

static void check_ledger(size_t studies, uint32_t reserved, uint32_t settled, uint32_t void_ones)
{
    uint32_t got[3];
    size_t n = 0;
    count(&got[0], &got[1], &got[2], &n);
    CHECK_NUMBER(studies, n);
    CHECK_NUMBER(reserved, got[0]);
    CHECK_NUMBER(settled, got[1]);
    CHECK_NUMBER(void_ones, got[2]);
}

/* Reserved at the worst before the first round; afterwards it is what the coordinator's ledger says
 * that all noise together left. */
static void all_is_reserved_before_and_settled_after(void)
{
    static struct fleet fleet;
    AUTO(charge_close) struct charge charge = {0};
    char why[CHARGE_WHY_BYTES];
    double epsilon = 0, spent = 0, worst = 0;
    policy("10.0");
    open_fleet(&fleet, 1);
    CHECK_OK(
        spend_worst(&worst, &fleet.course.schedule, ADVERSARY_COLLUSION, &fleet.course.state.keep));
    CHECK_OK(charge_reserve(&charge, folder, &fleet, 1000, why));
    CHECK_NUMBER(ROUNDS, charge.reserved);
    check_ledger(1, ROUNDS, 0, 0);
    while (!fleet_done(&fleet)) {
        struct fleet_round round;
        CHECK_OK(fleet_play(&fleet, &round));
        CHECK(round.opened);
    }
    CHECK_OK(charge_settle(&charge, &epsilon, &fleet, 1001));
    check_ledger(1, 0, ROUNDS, 0);
    CHECK_OK(spend_epsilon(&spent, &fleet.spend, ADVERSARY_COLLUSION));
    CHECK(epsilon >= spent && epsilon < spent * 1.02 && epsilon < worst);
    fleet_close(&fleet);
}

static void what_was_not_played_is_given_back(void)
{
    static struct fleet fleet;
    AUTO(charge_close) struct charge charge = {0};
    char why[CHARGE_WHY_BYTES];
    double epsilon = 0;
    struct fleet_round round;
    open_fleet(&fleet, 2);
    CHECK_OK(charge_reserve(&charge, folder, &fleet, 1002, why));
    CHECK_OK(fleet_play(&fleet, &round));
    CHECK_OK(charge_settle(&charge, &epsilon, &fleet, 1003));
    check_ledger(2, 0, 1, ROUNDS - 1);
    CHECK(epsilon > 0);
    fleet_close(&fleet);
}

static void a_budget_that_does_not_bear_it_stays_as_it_was(void)
{
    static struct fleet fleet;
    AUTO(charge_close) struct charge charge = {0};
    char why[CHARGE_WHY_BYTES];
    /* Two releases are borne, and the third one is not. */
    put("policy.yaml", "lifetime_epsilon: 6.0\nmin_contributors: 2\ndata_set: chest\n");
    open_fleet(&fleet, 3);
    CHECK_STATUS(STATUS_BUDGET, charge_reserve(&charge, folder, &fleet, 1004, why));
    CHECK(strstr(why, "policy.yaml:1: lifetime_epsilon 6.0000 would be exceeded") != NULL);
    check_ledger(3, 0, 0, 2);
    fleet_close(&fleet);
}

static void a_policy_that_does_not_allow_the_study_is_obeyed(void)
{
    static struct fleet fleet;
    AUTO(charge_close) struct charge charge = {0};
    char why[CHARGE_WHY_BYTES];
    put("policy.yaml", "min_sites: 50\nmin_contributors: 2\ndata_set: chest\n");
    open_fleet(&fleet, 4);
    CHECK_STATUS(STATUS_BUDGET, charge_reserve(&charge, folder, &fleet, 1005, why));
    CHECK(strstr(why, "policy.yaml:1: min_sites") != NULL);
    fleet_close(&fleet);
}

/* One more record of this site would change what several of the sites played give. */
static void a_study_that_counts_sites_has_no_price(void)
{
    static struct fleet fleet;
    AUTO(charge_close) struct charge charge = {0};
    char why[CHARGE_WHY_BYTES];
    policy("10.0");
    study("unit: site", "count: 3");
    open_fleet(&fleet, 7);
    CHECK_STATUS(STATUS_BUDGET, charge_reserve(&charge, folder, &fleet, 1007, why));
    CHECK(strstr(why, "only a study of unit patient") != NULL);
    fleet_close(&fleet);
}

/* The first round trains, and the third, and in the ledger the second has the number of another. */
static void steps_of_several_kinds_that_ended_early_stay_at_their_worst(void)
{
    static struct fleet fleet;
    AUTO(charge_close) struct charge charge = {0};
    char why[CHARGE_WHY_BYTES];
    struct fleet_round round = {0};
    double epsilon = 0, worst = 0;
    policy("1000.0");
    study("unit: patient, sampling: 0.5, records: 100",
          "count: 4}\nevaluation: {mode: private, every: 2, ratio: 4");
    open_fleet(&fleet, 8);
    CHECK_OK(charge_reserve(&charge, folder, &fleet, 1008, why));
    const struct books *books = &charge.ledger.books;
    const size_t at = books_find_study(books, &charge.manifest);
    struct account account = {0};
    CHECK_OK(books_of_study(&account, NULL, books, at, ADVERSARY_COLLUSION));
    worst = books_epsilon(&account, RDP_ORDERS, books->study[at].delta, books->study[at].sampler);
    CHECK_OK(fleet_play(&fleet, &round));
    CHECK_OK(charge_settle(&charge, &epsilon, &fleet, 1009));
    CHECK(epsilon >= worst);
    fleet_close(&fleet);
}

static void files_that_are_missing_or_open_to_all_are_named(void)
{
    static struct fleet fleet;
    AUTO(charge_close) struct charge charge = {0};
    char why[CHARGE_WHY_BYTES], key[FILE_PATH_MAX];
    policy("10.0");
    open_fleet(&fleet, 5);
    CHECK_STATUS(STATUS_IO, charge_reserve(&charge, "/nowhere", &fleet, 1006, why));
    CHECK(strstr(why, "/nowhere/key") != NULL);
    CHECK_OK(file_path(key, sizeof key, folder, "key"));
    CHECK(chmod(key, 0644) == 0);
    CHECK_STATUS(STATUS_AUTH, charge_reserve(&charge, folder, &fleet, 1006, why));
    CHECK(chmod(key, 0600) == 0);
    put("policy.yaml", "lifetime: 3\n");
    CHECK_STATUS(STATUS_FORMAT, charge_reserve(&charge, folder, &fleet, 1006, why));
    CHECK(strstr(why, "policy.yaml:1: ") != NULL);
    policy("10.0");
    put("ledger.db", "no database");
    CHECK(charge_reserve(&charge, folder, &fleet, 1006, why) != STATUS_OK);
    CHECK(strstr(why, "ledger.db") != NULL);
    fleet_close(&fleet);
}

int main(void)
{
    struct rng rng = {0};
    struct keyfile key = {0};
    char at[FILE_PATH_MAX];
    CHECK_OK(folder_new(folder, folder_parent(), "veilsum-test"));
    CHECK_OK(file_path(path, sizeof path, folder, "study.yaml"));
    study("unit: patient, sampling: 1.0, records: 100", "count: 3");
    rng_numbered(&rng, 1);
    CHECK_OK(keyfile_make(&key, "auditor", &rng));
    CHECK_OK(file_path(at, sizeof at, folder, "key"));
    CHECK_OK(keyfile_write(&key, at));
    RUN(all_is_reserved_before_and_settled_after);
    RUN(what_was_not_played_is_given_back);
    RUN(a_budget_that_does_not_bear_it_stays_as_it_was);
    RUN(a_policy_that_does_not_allow_the_study_is_obeyed);
    RUN(a_study_that_counts_sites_has_no_price);
    RUN(steps_of_several_kinds_that_ended_early_stay_at_their_worst);
    study("unit: patient, sampling: 1.0, records: 100", "count: 3");
    RUN(files_that_are_missing_or_open_to_all_are_named);
    keyfile_wipe(&key);
    folder_remove(folder);
    return check_done();
}
