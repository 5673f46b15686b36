/* SPDX-License-Identifier: Apache-2.0 */
/* What goes over sockets is counted where it is handed to the transport (tests/unit/lab/posted.h).
 */
#include "lab/fleet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/fleet_step.h"
#include "lab/folder.h"
#include "tests/lib/check.h"
#include "tests/lib/small.h"
#include "tests/unit/lab/posted.h"

enum { SITES = 7, RECORDS = 40 };

static char folder[FILE_PATH_MAX], path[FILE_PATH_MAX];

/* A study of 7 sites, 5 of which must stay. */
static void write_study(const char *epsilon)
{
    char text[1024];
    const int n = snprintf(
        text, sizeof text,
        "schema: 1\nstudy: {id: fleet, rehearsal: true}\n"
        "sites: {expected: %d, colluding: 1, min_contributors: 2}\n"
        "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [12, 12]}\n"
        "privacy: {unit: site, epsilon: %s, delta: 1.0e-5, clip: 2, exploration_clip: 2}\n"
        "pruning: {mode: private}\nrounds: {count: 4, momentum: 0.5, learning_rate: 0.5}\n",
        SITES, epsilon);
    CHECK_OK(file_write(path, (struct view){(const uint8_t *)text, (size_t)n}, 0600));
}

static void open_fleet(struct fleet *fleet, const struct fleet_settings *settings)
{
    struct study study = {0};
    struct settings_error error = {0};
    struct site_error why = {0};
    struct dataset share[SITES] = {{0}};
    AUTO(state_free) struct state initial = {0};
    CHECK_OK(study_read(&study, path, &error));
    small_state(&initial, &study, false);
    for (uint32_t v = 0; v < SITES; v++) small_data(&share[v], &study, RECORDS, 10 + v);
    const enum status status = fleet_open(fleet, settings, share, initial.weight, &why);
    if (status != STATUS_OK) (void)printf("%s\n", why.text);
    CHECK_OK(status);
    for (uint32_t v = 0; v < SITES; v++) CHECK(share[v].n == 0);
}

/* Play to the end; every sum that is opened is the one that was put in. */
static uint32_t finish(struct fleet *fleet, uint32_t *dropped, uint32_t *recovered)
{
    uint32_t rounds = 0;
    *dropped = *recovered = 0;
    while (!fleet_done(fleet) && rounds < 60) {
        struct fleet_round round;
        CHECK_OK(fleet_play(fleet, &round));
        CHECK_NUMBER(++rounds, round.round);
        CHECK(!round.opened || (round.compared && round.exact));
        CHECK(!round.opened || round.survivors >= fleet->study.sites.threshold);
        CHECK(round.opened || round.why != REASON_NONE);
        CHECK(round.opened == (round.up > 0) || round.survivors > 0);
        *dropped += round.dropped;
        *recovered += round.recovered;
    }
    return rounds;
}

/* What it costs is no more than was said, and sites and coordinator agree on it. */
static void check_costs(const struct fleet *fleet, const double *limit)
{
    double spent[ADVERSARY_COUNT], sites = 0;
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++) {
        CHECK_OK(spend_epsilon(&spent[who], &fleet->spend, who));
        CHECK(spent[who] > 0 && spent[who] <= limit[who]);
    }
    CHECK(limit[ADVERSARY_COLLUSION] <= fleet->study.privacy.epsilon);
    CHECK_OK(fleet_spent(fleet, &sites));
    if (isfinite(sites)) CHECK_CLOSE(spent[ADVERSARY_COLLUSION], sites, 1e-9);
}

static void every_sum_is_what_the_sites_put_in_and_costs_what_was_said(void)
{
    static const char *const epsilon[] = {".inf", "4.0"};
    for (size_t i = 0; i < 2; i++) {
        AUTO(fleet_close) struct fleet fleet = {0};
        uint32_t dropped = 0, recovered = 0;
        double limit[ADVERSARY_COUNT];
        write_study(epsilon[i]);
        open_fleet(&fleet, &(struct fleet_settings){.study = path, .seed = 1, .threads = 2});
        for (enum adversary who = 0; who < ADVERSARY_COUNT; who++)
            CHECK_OK(
                spend_worst(&limit[who], &fleet.course.schedule, who, &fleet.course.state.keep));
        CHECK_NUMBER(5, finish(&fleet, &dropped, &recovered));
        CHECK_NUMBER(0, dropped);
        CHECK(bits_count(&fleet.course.state.keep) < fleet.course.layout.n);
        check_costs(&fleet, limit);
    }
}

static void play(struct fleet *fleet, uint64_t seed, unsigned threads)
{
    uint32_t dropped = 0, recovered = 0;
    open_fleet(fleet, &(struct fleet_settings){
                          .study = path, .seed = seed, .threads = threads, .dropout = 0.1});
    (void)finish(fleet, &dropped, &recovered);
}

static bool same_weights(const struct fleet *a, const struct fleet *b)
{
    return memcmp(a->course.state.weight, b->course.state.weight,
                  a->course.layout.n * sizeof(float)) == 0;
}

static void a_seed_gives_one_run_whatever_the_threads(void)
{
    write_study("4.0");
    AUTO(fleet_close) struct fleet first = {0};
    AUTO(fleet_close) struct fleet again = {0};
    AUTO(fleet_close) struct fleet other = {0};
    play(&first, 3, 1);
    play(&again, 3, 3);
    play(&other, 4, 1);
    CHECK(same_weights(&first, &again));
    CHECK(!same_weights(&first, &other));
    const struct hash a = history_last(&first.history), b = history_last(&again.history);
    CHECK(hash_equal(&a, &b));
    CHECK_NUMBER(first.rounds, again.rounds);
}

static void dropouts_are_survived(void)
{
    write_study("4.0");
    AUTO(fleet_close) struct fleet fleet = {0};
    uint32_t dropped = 0, recovered = 0;
    open_fleet(&fleet, &(struct fleet_settings){.study = path, .seed = 7, .dropout = 0.2});
    CHECK(finish(&fleet, &dropped, &recovered) >= 5);
    CHECK(fleet_done(&fleet));
    CHECK(dropped > recovered);
    CHECK(recovered > 0);
    struct state *state = &fleet.course.state;
    for (size_t i = 0; i < fleet.course.layout.n; i++) CHECK(isfinite(state->weight[i]));
}

/* Neither in keys and seeds nor in the noise that a site draws from its own stream. */
static void no_two_sites_draw_alike(void)
{
    enum { DRAWN = 16 };
    write_study("4.0");
    AUTO(fleet_close) struct fleet fleet = {0};
    uint8_t drawn[SITES][DRAWN];
    open_fleet(&fleet, &(struct fleet_settings){.study = path, .seed = 1});
    for (uint32_t v = 0; v < SITES; v++) {
        struct rng rng = fleet.site[v].site.rng;
        rng_bytes(&rng, drawn[v], DRAWN);
        for (uint32_t w = 0; w < v; w++) {
            CHECK(memcmp(drawn[v], drawn[w], DRAWN) != 0);
            CHECK(memcmp(fleet.site[v].key.identity, fleet.site[w].key.identity,
                         sizeof fleet.site[v].key.identity) != 0);
        }
    }
}

/* Of each survivor the first, a middle and the last place, and of the opened sum, too. */
static void a_sum_that_is_off_by_one_anywhere_is_not_exact(void)
{
    write_study("4.0");
    AUTO(fleet_close) struct fleet fleet = {0};
    struct fleet_round round;
    open_fleet(&fleet, &(struct fleet_settings){.study = path, .seed = 1});
    for (uint32_t k = 0; k < 2; k++) {
        CHECK_OK(fleet_play(&fleet, &round));
        CHECK(round.opened && round.compared && round.exact);
        if (!round.opened) return;
        for (uint32_t v = 0; v < SITES; v++) {
            const struct noised *put_in = &fleet.site[v].put_in;
            const size_t places[] = {0, put_in->n / 2, put_in->n - 1};
            for (size_t i = 0; i < 3; i++) {
                put_in->value[places[i]]++;
                CHECK_OK(fleet_compare(&round, &fleet));
                CHECK(!round.exact);
                put_in->value[places[i]]--;
            }
        }
        for (uint32_t l = 0; l < fleet.round.plan.n_segments; l++) {
            fleet.round.opened[l].value[0]++;
            CHECK_OK(fleet_compare(&round, &fleet));
            CHECK(!round.exact);
            fleet.round.opened[l].value[0]--;
        }
        CHECK_OK(fleet_compare(&round, &fleet));
        CHECK(round.exact);
    }
}

static void nobody_is_left_when_all_drop_out(void)
{
    write_study("4.0");
    AUTO(fleet_close) struct fleet fleet = {0};
    struct fleet_round round;
    open_fleet(&fleet, &(struct fleet_settings){.study = path, .seed = 2, .dropout = 1});
    CHECK_OK(fleet_play(&fleet, &round));
    CHECK(!round.opened);
    CHECK_NUMBER(SITES, round.dropped);
    double spent = 1;
    CHECK_OK(spend_epsilon(&spent, &fleet.spend, ADVERSARY_SERVER));
    /* Unless inputs had left before, in which case they are paid for. */
    CHECK(round.survivors > 0 || !(spent > 0));
}

static void a_sites_own_limit_ends_the_study(void)
{
    write_study("4.0");
    AUTO(fleet_close) struct fleet fleet = {0};
    struct fleet_round round;
    open_fleet(&fleet, &(struct fleet_settings){.study = path, .seed = 1, .lifetime_epsilon = 5});
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < 8 && status == STATUS_OK; i++) status = fleet_play(&fleet, &round);
    CHECK_NUMBER(STATUS_BUDGET, status);
    CHECK(!fleet_done(&fleet) && fleet.course.trained > 0);
    CHECK(strstr(fleet.refusal.text, "lifetime_epsilon 5.0") != NULL);
    double sites = 0;
    CHECK_OK(fleet_spent(&fleet, &sites));
    CHECK(sites > 0 && sites <= 4);
}

static void check_same_round(const struct fleet_round *a, const struct fleet_round *b)
{
    CHECK_NUMBER(a->step, b->step);
    CHECK_NUMBER(a->opened, b->opened);
    CHECK_NUMBER(a->why, b->why);
    CHECK_NUMBER(a->about, b->about);
    CHECK_NUMBER(a->dropped, b->dropped);
    CHECK_NUMBER(a->survivors, b->survivors);
    CHECK_NUMBER(a->recovered, b->recovered);
    CHECK_NUMBER(a->exact, b->exact);
    CHECK_NUMBER(a->up, b->up);
    CHECK_NUMBER(a->down, b->down);
}

/* Every byte of every letter, and one connection more for each site that comes back. */
static void over_sockets_it_is_the_same_study(void)
{
    write_study("4.0");
    AUTO(fleet_close) struct fleet memory = {0};
    AUTO(fleet_close) struct fleet real = {0};
    struct fleet_settings settings = {.study = path, .seed = 7, .dropout = 0.2, .threads = 2};
    open_fleet(&memory, &settings);
    settings.real = true;
    open_fleet(&real, &settings);
    size_t connections = SITES, dropped = 0;
    posted = (struct posted){0};
    while (!fleet_done(&memory)) {
        struct fleet_round in_memory, over_sockets;
        uint64_t bytes = 0;
        CHECK_OK(fleet_play(&memory, &in_memory));
        CHECK_NUMBER(0, posted.bytes);
        CHECK_OK(fleet_play(&real, &over_sockets));
        check_same_round(&in_memory, &over_sockets);
        for (uint32_t v = 0; v < SITES; v++) bytes += real.site[v].up + real.site[v].down;
        CHECK_NUMBER(bytes, posted.bytes);
        connections += dropped;
        dropped = over_sockets.dropped;
        CHECK_NUMBER(connections, posted.connections);
        posted.bytes = 0;
    }
    CHECK(fleet_done(&real) && connections > SITES);
    CHECK(same_weights(&memory, &real));
    const struct hash a = history_last(&memory.history), b = history_last(&real.history);
    CHECK(hash_equal(&a, &b));
}

static void a_letter_that_is_lost_on_its_way_ends_the_study(void)
{
    write_study("4.0");
    AUTO(fleet_close) struct fleet fleet = {0};
    struct fleet_round round;
    open_fleet(&fleet, &(struct fleet_settings){.study = path, .seed = 1, .real = true});
    CHECK_OK(fleet_play(&fleet, &round));
    posted = (struct posted){.lose_after = 20};
    CHECK_STATUS(STATUS_IO, fleet_play(&fleet, &round));
    posted = (struct posted){0};
    CHECK_NUMBER(REASON_DEADLINE, fleet.refusal.reason);
    CHECK(strstr(fleet.refusal.text, "lost a message") != NULL);
}

/* The last: the limit cannot be raised again. */
static void too_few_open_files_are_told(void)
{
    write_study("4.0");
    AUTO(fleet_close) struct fleet fleet = {0};
    const struct rlimit few = {100, 100};
    struct study study = {0};
    struct settings_error error = {0};
    struct site_error why = {0};
    struct dataset share[SITES] = {{0}};
    AUTO(state_free) struct state initial = {0};
    CHECK_OK(study_read(&study, path, &error));
    small_state(&initial, &study, false);
    for (uint32_t v = 0; v < SITES; v++) small_data(&share[v], &study, RECORDS, 10 + v);
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    const struct fleet_settings settings = {.study = path, .real = true};
    CHECK_STATUS(STATUS_IO, fleet_open(&fleet, &settings, share, initial.weight, &why));
    CHECK(strstr(why.text, "ulimit -n") != NULL);
}

static void nothing_is_left_behind(void)
{
    write_study(".inf");
    struct fleet fleet = {0};
    struct stat info;
    char kept[FILE_PATH_MAX];
    open_fleet(&fleet, &(struct fleet_settings){.study = path, .seed = 1});
    memcpy(kept, fleet.folder, sizeof kept);
    CHECK(stat(kept, &info) == 0 && (info.st_mode & 077) == 0);
    fleet_close(&fleet);
    CHECK(stat(kept, &info) != 0);
    fleet_close(&fleet);
}

static void a_wrong_study_is_refused_with_its_line(void)
{
    struct fleet fleet = {0};
    struct site_error why = {0};
    struct dataset share[SITES] = {{0}};
    const float none = 0;
    static const char text[] = "schema: 1\nstudy: {id: x}\nsites: {expected: many}\n";
    CHECK_OK(file_write(path, (struct view){(const uint8_t *)text, sizeof text - 1}, 0600));
    const struct fleet_settings settings = {.study = path};
    CHECK_STATUS(STATUS_RANGE, fleet_open(&fleet, &settings, share, &none, &why));
    CHECK_NUMBER(REASON_STUDY_FILE, why.reason);
    CHECK(strstr(why.text, ":3:") != NULL);
    fleet_close(&fleet);
}

int main(void)
{
    CHECK_OK(folder_new(folder, folder_parent(), "veilsum-test"));
    CHECK_OK(file_path(path, sizeof path, folder, "study.yaml"));
    RUN(every_sum_is_what_the_sites_put_in_and_costs_what_was_said);
    RUN(over_sockets_it_is_the_same_study);
    RUN(a_letter_that_is_lost_on_its_way_ends_the_study);
    RUN(a_seed_gives_one_run_whatever_the_threads);
    RUN(dropouts_are_survived);
    RUN(no_two_sites_draw_alike);
    RUN(a_sum_that_is_off_by_one_anywhere_is_not_exact);
    RUN(nobody_is_left_when_all_drop_out);
    RUN(a_sites_own_limit_ends_the_study);
    RUN(nothing_is_left_behind);
    RUN(a_wrong_study_is_refused_with_its_line);
    RUN(too_few_open_files_are_told);
    folder_remove(folder);
    return check_done();
}
