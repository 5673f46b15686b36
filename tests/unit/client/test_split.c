/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/split.h"

#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/client/pile.h"

enum { SITES = 5 };

/* Partition the records by name; untouched when it is refused. */
static enum status part(uint16_t site[static PILE], const struct dataset *data, const char *name,
                        uint32_t sites, size_t least, uint64_t seed)
{
    struct split split = {0};
    struct rng rng = {0};
    rng_numbered(&rng, seed);
    TRY(split_parse(&split, name));
    return split_run(site, &split, data, sites, least, &rng);
}

/* keys 0, 10, 20, ... of different sizes */
static uint16_t key[PILE];
static struct dataset keyed(void)
{
    struct dataset data = pile_records();
    for (size_t i = 0; i < PILE; i++) key[i] = (uint16_t)(i * i % 13 * 10);
    data.key = key;
    return data;
}

static void names_are_read_with_their_argument(void)
{
    struct split split = {0};
    CHECK_OK(split_parse(&split, "iid"));
    CHECK_NUMBER(SPLIT_IID, split.kind);
    CHECK_OK(split_parse(&split, "dirichlet:0.5"));
    CHECK_NUMBER(SPLIT_DIRICHLET, split.kind);
    CHECK_CLOSE(0.5, split.argument, 0);
    CHECK_OK(split_parse(&split, "domain:2"));
    CHECK_OK(split_parse(&split, "domain"));
    CHECK_NUMBER(SPLIT_DOMAIN, split.kind);
    CHECK_CLOSE(0, split.argument, 0);
    static const char *const bad[] = {"",
                                      "ii",
                                      "iidd",
                                      "iid:1",
                                      "key:2",
                                      "quantity",
                                      "dirichlet",
                                      "dirichlet:",
                                      "dirichlet:x",
                                      "dirichlet:0",
                                      "dirichlet:-1",
                                      "dirichlet:inf",
                                      "dirichlet:1x",
                                      "dirichlet:nan",
                                      "pathological",
                                      "domain:",
                                      ":",
                                      ":1"};
    split.kind = SPLIT_KIND_COUNT;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STATUS(STATUS_FORMAT, split_parse(&split, bad[i]));
    CHECK_NUMBER(SPLIT_KIND_COUNT, split.kind);
}

static void every_partition_gives_each_record_one_site_the_same_for_a_seed(void)
{
    struct dataset data = keyed();
    static const char *const name[] = {"iid", "quantity:0.7", "dirichlet:0.5", "pathological:2",
                                       "key", "domain",       "domain:0.5"};
    for (size_t k = 0; k < sizeof name / sizeof *name; k++) {
        uint16_t site[3][PILE];
        memset(site, 0xff, sizeof site);
        for (uint64_t i = 0; i < 3; i++)
            CHECK_OK(part(site[i], &data, name[k], SITES, 20, 100 + i / 2));
        CHECK_BYTES(site[0], site[1], sizeof site[0]);
        CHECK(memcmp(site[0], site[2], sizeof site[0]) != 0);
        size_t held[SITES] = {0};
        for (size_t i = 0; i < PILE; i++) {
            CHECK(site[0][i] < SITES);
            if (site[0][i] < SITES) held[site[0][i]]++;
        }
        for (size_t v = 0; v < SITES; v++) CHECK(held[v] >= 20);
    }
}

/* Exact sizes; and over 4000 draws, site 0 of two gets each of ten records half of the time: chi
 * square of ten such counts, which are all but independent, is below 45 but once in 10^6. */
static void iid_sizes_are_even_and_every_record_goes_anywhere(void)
{
    struct dataset data = pile_records();
    uint16_t site[PILE];
    CHECK_OK(part(site, &data, "iid", 7, 1, 1));
    size_t held[7] = {0};
    for (size_t i = 0; i < PILE; i++) held[site[i]]++;
    for (size_t v = 0; v < 7; v++) CHECK(held[v] == PILE / 7 || held[v] == PILE / 7 + 1);

    data.n = 10;
    double count[10] = {0};
    for (uint64_t draw = 0; draw < 4000; draw++) {
        CHECK_OK(part(site, &data, "iid", 2, 5, draw));
        for (size_t i = 0; i < 10; i++) count[i] += site[i] == 0;
    }
    double square = 0;
    for (size_t i = 0; i < 10; i++) square += (count[i] - 2000) * (count[i] - 2000) / 1000;
    CHECK(square < 45);
}

static void quantity_skews_sizes_alone(void)
{
    struct dataset data = pile_records();
    uint16_t site[PILE];
    CHECK_OK(part(site, &data, "quantity:1.5", SITES, 30, 3));
    double held[SITES] = {0}, zeros[SITES] = {0}, least = PILE, most = 0;
    for (size_t i = 0; i < PILE; i++) {
        held[site[i]]++;
        zeros[site[i]] += pile_label[i] == 0;
    }
    for (size_t v = 0; v < SITES; v++) {
        least = fmin(least, held[v]);
        most = fmax(most, held[v]);
        /* Half of all records have label 0; five deviations of a fair share. */
        CHECK_CLOSE(0.5, zeros[v] / held[v], 2.5 / sqrt(held[v]));
    }
    CHECK(most > 3 * least);
}

/* How many classes a site has, and that each shard of a class is as large as the others. */
static void pathological_sites_have_whole_shards_of_so_many_classes(void)
{
    struct dataset data = pile_records();
    for (size_t i = 0; i < PILE; i++) pile_label[i] = (uint8_t)(i % PILE_CLASSES);
    for (uint32_t take = 1; take <= PILE_CLASSES; take++) {
        char name[] = "pathological:1";
        name[13] = (char)('0' + take);
        for (uint64_t seed = 0; seed < 20; seed++) {
            uint16_t site[PILE];
            CHECK_OK(part(site, &data, name, 20, 1, seed));
            size_t held[20][PILE_CLASSES] = {{0}};
            for (size_t i = 0; i < PILE; i++) held[site[i]][pile_label[i]]++;
            for (size_t v = 0; v < 20; v++) {
                size_t classes = 0;
                for (size_t k = 0; k < PILE_CLASSES; k++) {
                    /* 20 * take / 4 shards of a class */
                    const size_t shard = PILE / PILE_CLASSES / (5 * take);
                    const size_t rest = PILE / PILE_CLASSES % (5 * take) > 0;
                    CHECK(held[v][k] == 0 || held[v][k] == shard || held[v][k] == shard + rest);
                    classes += held[v][k] > 0;
                }
                CHECK_NUMBER(take, classes);
            }
        }
    }
}

static void shards_that_do_not_come_out_even_go_to_classes_by_chance(void)
{
    struct dataset data = pile_records();
    uint16_t site[PILE];
    for (size_t i = 0; i < PILE; i++) pile_label[i] = (uint8_t)(i % 3);
    CHECK_OK(part(site, &data, "pathological:2", 5, 1, 8)); /* ten shards of three classes */
    size_t holders[3] = {0};
    for (uint16_t v = 0; v < 5; v++) {
        bool has[3] = {false};
        for (size_t i = 0; i < PILE; i++)
            if (site[i] == v) has[pile_label[i]] = true;
        for (size_t k = 0; k < 3; k++) holders[k] += has[k];
    }
    CHECK_NUMBER(10, holders[0] + holders[1] + holders[2]);
    for (size_t k = 0; k < 3; k++) CHECK(holders[k] == 3 || holders[k] == 4);
    CHECK_STATUS(STATUS_RANGE, part(site, &data, "pathological:4", 5, 1, 8));
    CHECK_STATUS(STATUS_RANGE, part(site, &data, "pathological:1.5", 5, 1, 8));
    CHECK_STATUS(STATUS_RANGE, part(site, &data, "pathological:1", 2, 1, 8)); /* nobody has one */
}

static void keys_stay_whole_and_are_dealt_evenly(void)
{
    struct dataset data = keyed();
    uint16_t site[PILE];
    CHECK_OK(part(site, &data, "key", 4, 1, 6));
    int owner[200];
    memset(owner, 0xff, sizeof owner);
    size_t keys[4] = {0};
    for (size_t i = 0; i < PILE; i++) {
        if (owner[key[i]] == -1) keys[site[i]]++;
        CHECK(owner[key[i]] == -1 || owner[key[i]] == site[i]);
        owner[key[i]] = site[i];
    }
    /* 0, 1, 4, 9, 3, 12, 10: the seven squares modulo 13 */
    size_t sum = 0;
    for (size_t v = 0; v < 4; v++) {
        CHECK(keys[v] == 1 || keys[v] == 2);
        sum += keys[v];
    }
    CHECK_NUMBER(7, sum);
    CHECK_STATUS(STATUS_RANGE, part(site, &data, "key", 8, 1, 6));
    CHECK_STATUS(STATUS_RANGE, part(site, &data, "key", 2, PILE / 2, 6)); /* never just so */
    data.key = NULL;
    CHECK_STATUS(STATUS_RANGE, part(site, &data, "key", 2, 1, 6));
}

static void parts_are_dealt_whole_with_keys_and_looks(void)
{
    struct dataset data = keyed();
    struct split split = {0};
    struct rng rng = {0};
    rng_numbered(&rng, 12);
    struct dataset got[SITES] = {{0}};
    CHECK_OK(split_parse(&split, "domain"));
    CHECK_OK(split_deal(got, &split, &data, SITES, 0, &rng));
    uint16_t site[PILE];
    CHECK_OK(part(site, &data, "domain", SITES, 1, 12));
    size_t at[SITES] = {0};
    bool keys = true, looks = true;
    for (size_t i = 0; i < PILE; i++) {
        const struct dataset *own = &got[site[i]];
        const size_t place = at[site[i]]++;
        keys = keys && own->key[place] == key[i] && own->label[place] == pile_label[i];
        /* site 0 as it is, site 1 inverted */
        if (site[i] == 0) looks = looks && own->pixel[place] == pile_pixel[i];
        if (site[i] == 1) looks = looks && own->pixel[place] == (383 - pile_pixel[i]) / 2;
    }
    CHECK(keys);
    CHECK(looks);
    for (size_t v = 0; v < SITES; v++) {
        CHECK_NUMBER(at[v], got[v].n);
        dataset_free(&got[v]);
    }
    data.n = 3;
    data.width = 2; /* not square: the third site cannot turn them */
    struct dataset none[3] = {{0}};
    CHECK_STATUS(STATUS_RANGE, split_deal(none, &split, &data, 3, 0, &rng));
    for (size_t v = 0; v < 3; v++) CHECK(none[v].pixel == NULL);
}

static void out_of_range_names_no_partition(void)
{
    struct dataset data = pile_records();
    uint16_t site[PILE], before[PILE];
    memset(site, 0x5a, sizeof site);
    memset(before, 0x5a, sizeof before);
    struct rng rng = {0};
    rng_numbered(&rng, 4);
    const struct split odd[] = {{SPLIT_QUANTITY, 0},       {SPLIT_QUANTITY, HUGE_VAL},
                                {SPLIT_DIRICHLET, 0},      {SPLIT_PATHOLOGICAL, 0},
                                {SPLIT_PATHOLOGICAL, 300}, {SPLIT_KIND_COUNT, 0}};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        CHECK_STATUS(STATUS_RANGE, split_run(site, &odd[i], &data, SITES, 1, &rng));
    CHECK_STATUS(STATUS_RANGE, part(site, &data, "iid", 0, 0, 1));
    CHECK_STATUS(STATUS_RANGE, part(site, &data, "iid", 65536, 0, 1));
    CHECK_STATUS(STATUS_RANGE, part(site, &data, "iid", SITES, PILE / SITES + 1, 1));
    CHECK_STATUS(STATUS_RANGE, part(site, &data, "quantity:3", SITES, PILE / SITES, 1));
    CHECK_STATUS(STATUS_RANGE, part(site, &data, "pathological:2", SITES, PILE / SITES, 1));
    CHECK_BYTES(before, site, sizeof site);
}

static void no_partition_survives_without_memory(void)
{
    struct dataset data = keyed();
    static const char *const name[] = {"iid", "pathological:2", "key", "domain"};
    for (size_t k = 0; k < 4; k++)
        OOM_EACH {
            struct split split = {0};
            struct rng rng = {0};
            struct dataset got[2] = {{0}};
            rng_numbered(&rng, 6);
            CHECK_OK(split_parse(&split, name[k]));
            const enum status status = split_deal(got, &split, &data, 2, 1, &rng);
            oom_stop();
            CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
            CHECK((status == STATUS_OK) == (got[0].pixel != NULL && got[1].pixel != NULL));
            dataset_free(&got[0]);
            dataset_free(&got[1]);
        }
}

int main(void)
{
    RUN(names_are_read_with_their_argument);
    RUN(every_partition_gives_each_record_one_site_the_same_for_a_seed);
    RUN(iid_sizes_are_even_and_every_record_goes_anywhere);
    RUN(quantity_skews_sizes_alone);
    RUN(pathological_sites_have_whole_shards_of_so_many_classes);
    RUN(shards_that_do_not_come_out_even_go_to_classes_by_chance);
    RUN(keys_stay_whole_and_are_dealt_evenly);
    RUN(parts_are_dealt_whole_with_keys_and_looks);
    RUN(out_of_range_names_no_partition);
    RUN(no_partition_survives_without_memory);
    return check_done();
}
