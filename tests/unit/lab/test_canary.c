/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/canary.h"

#include <string.h>

#include "client/local.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"

enum { CANARIES = 40, RECORDS = 60, SITES = 3 };

static struct study study;
static struct rng rng;

/* The image's place among those of data, or its number. */
static size_t find(const struct dataset *data, const struct dataset *in, size_t record)
{
    const size_t floats = dataset_floats(data);
    for (size_t i = 0; i < data->n; i++)
        if (memcmp(data->pixel + i * floats, in->pixel + record * floats, floats) == 0) return i;
    return data->n;
}

static void random_ones_fit_the_study_and_differ(void)
{
    AUTO(dataset_free) struct dataset canary = {0}, again = {0};
    AUTO(local_free) struct local local = {0};
    CHECK_OK(canary_random(&canary, &study, CANARIES, &rng));
    CHECK_OK(canary_random(&again, &study, CANARIES, &rng));
    CHECK_NUMBER(CANARIES, canary.n);
    uint32_t seen[3] = {0};
    for (size_t i = 0; i < CANARIES; i++) {
        CHECK_NUMBER(i, find(&canary, &canary, i));
        CHECK_NUMBER(CANARIES, find(&canary, &again, i));
        CHECK(canary.label[i] < 3);
        seen[canary.label[i] % 3]++;
    }
    CHECK(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
    CHECK_OK(local_new(&local, &study, &canary));
}

static void random_characters_are_of_the_alphabet(void)
{
    struct study text;
    AUTO(dataset_free) struct dataset canary = {0};
    AUTO(local_free) struct local local = {0};
    small_study(&text, STUDY_SITE, MODEL_LSTM);
    CHECK_OK(canary_random(&canary, &text, CANARIES, &rng));
    CHECK_OK(local_new(&local, &text, &canary));
}

static void mislabelled_ones_are_different_records_with_other_labels(void)
{
    AUTO(dataset_free) struct dataset from = {0}, canary = {0};
    CHECK_OK(canary_random(&from, &study, RECORDS, &rng));
    CHECK_OK(canary_mislabelled(&canary, &study, &from, CANARIES, &rng));
    CHECK_NUMBER(CANARIES, canary.n);
    bool moved = false;
    for (size_t i = 0; i < CANARIES; i++) {
        const size_t at = find(&from, &canary, i);
        CHECK(at < RECORDS && find(&canary, &canary, i) == i);
        CHECK(canary.label[i] < 3 && canary.label[i] != from.label[at % RECORDS]);
        moved = moved || at != i;
    }
    CHECK(moved);
}

static void too_few_or_unfit_records_are_refused(void)
{
    AUTO(dataset_free) struct dataset from = {0};
    struct dataset canary = {.n = 7};
    CHECK_OK(canary_random(&from, &study, RECORDS, &rng));
    CHECK_STATUS(STATUS_RANGE, canary_mislabelled(&canary, &study, &from, RECORDS + 1, &rng));
    struct study other = study;
    other.model.spec.width = 4;
    CHECK_STATUS(STATUS_RANGE, canary_mislabelled(&canary, &other, &from, 1, &rng));
    other = study;
    other.model.spec.classes = 1;
    CHECK_STATUS(STATUS_RANGE, canary_mislabelled(&canary, &other, &from, 1, &rng));
    CHECK_NUMBER(7, canary.n);
    CHECK(canary.pixel == NULL);
}

/* A coin that is fair shows each side, is not the one before it, and about half are in: within five
 * deviations. */
static void coins_are_fair(void)
{
    enum { TOSSES = 10000 };
    static bool in[TOSSES];
    canary_toss(in, TOSSES, &rng);
    long heads = 0, turns = 0;
    for (size_t i = 0; i < TOSSES; i++) {
        heads += in[i];
        turns += i > 0 && in[i] != in[i - 1];
    }
    CHECK(heads > 4750 && heads < 5250);
    CHECK(turns > 4750 && turns < 5250);
}

static void those_that_are_in_go_to_their_site_and_no_other_does(void)
{
    AUTO(dataset_free) struct dataset canary = {0};
    struct dataset share[SITES] = {{0}};
    bool in[CANARIES];
    CHECK_OK(canary_random(&canary, &study, CANARIES, &rng));
    canary_toss(in, CANARIES, &rng);
    for (size_t i = 2; i < CANARIES; i += SITES) in[i] = false; /* none for the last site */
    size_t put_in = 0, more = 0;
    for (uint32_t v = 0; v < SITES; v++) small_data(&share[v], &study, RECORDS, v);
    CHECK_OK(canary_deal(share, SITES, &canary, in));
    for (size_t i = 0; i < CANARIES; i++) {
        put_in += in[i];
        for (uint32_t v = 0; v < SITES; v++) {
            const size_t at = find(&share[v], &canary, i);
            CHECK((at < share[v].n) == (in[i] && i % SITES == v));
            if (at < share[v].n) CHECK_NUMBER(canary.label[i], share[v].label[at]);
        }
    }
    for (uint32_t v = 0; v < SITES; v++) more += share[v].n - RECORDS;
    CHECK_NUMBER(put_in, more);
    CHECK_NUMBER(RECORDS, share[2].n);
    for (uint32_t v = 0; v < SITES; v++) dataset_free(&share[v]);
}

static void without_memory_it_says_so(void)
{
    bool in[CANARIES];
    for (size_t i = 0; i < CANARIES; i++) in[i] = true;
    OOM_EACH {
        oom_stop();
        AUTO(dataset_free) struct dataset canary = {0}, other = {0}, share = {0};
        small_data(&share, &study, RECORDS, 3);
        oom_resume();
        enum status status = canary_random(&canary, &study, CANARIES, &rng);
        if (status == STATUS_OK) status = canary_mislabelled(&other, &study, &canary, 9, &rng);
        if (status == STATUS_OK) status = canary_deal(&share, 1, &canary, in);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
    }
}

int main(void)
{
    small_study(&study, STUDY_SITE, MODEL_MLP);
    rng_numbered(&rng, 1);
    RUN(random_ones_fit_the_study_and_differ);
    RUN(random_characters_are_of_the_alphabet);
    RUN(mislabelled_ones_are_different_records_with_other_labels);
    RUN(too_few_or_unfit_records_are_refused);
    RUN(coins_are_fair);
    RUN(those_that_are_in_go_to_their_site_and_no_other_does);
    RUN(without_memory_it_says_so);
    return check_done();
}
