/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/booth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"
#include "tests/unit/lab/posted.h"

/* Five sites, one of them colluding, of which one may fall silent: noise of three is unknown. */
static void study_with(struct study *study, const char *privacy, const char *rest)
{
    char text[1024];
    struct settings_error why = {0};
    const int n = snprintf(text, sizeof text,
                           "schema: 1\nstudy: {id: booth}\n"
                           "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
                           "model: {kind: mlp, hidden: [8]}\npruning: {mode: none}\n"
                           "privacy: {delta: 1.0e-5, clip: 1.3, %s}\n%s",
                           privacy, rest);
    CHECK_OK(study_parse(study, (struct view){(const uint8_t *)text, (size_t)n}, &why));
    if (why.text[0] != '\0') printf("%s\n", why.text);
}

#define PATIENT "unit: patient, epsilon: 8, sampling: 0.2, records: 4000"
#define SITE "unit: site, epsilon: 8"

static double *scores_of(struct booth *booth, const bool *included)
{
    double *score = calloc(booth->n_canaries + booth->n_idle, sizeof *score);
    REQUIRE(score != NULL);
    CHECK_OK(booth_play(booth, included));
    CHECK_OK(booth_score(booth, false, score));
    return score;
}

static bool *every_other(const struct booth *booth)
{
    bool *included = calloc(booth->n_canaries, sizeof *included);
    REQUIRE(included != NULL);
    for (uint32_t k = 0; k < booth->n_canaries; k++) included[k] = k % 2 == 0;
    return included;
}

/* The same chance twice, once without canaries: what is left is what they do, to within `off`. */
static void check_reach(const char *privacy, const char *rest, uint32_t coordinates, double off)
{
    static struct booth with, without;
    struct study study;
    struct settings_error why = {0};
    const struct booth_settings set = {.coordinates = coordinates, .seeded = true, .seed = 3};
    study_with(&study, privacy, rest);
    CHECK_OK(booth_open(&with, &study, &set, &why));
    CHECK_OK(booth_open(&without, &study, &set, &why));
    bool *included = every_other(&with), *nobody = calloc(without.n_canaries, sizeof *nobody);
    REQUIRE(nobody != NULL);
    double *in = scores_of(&with, included), *out = scores_of(&without, nobody);
    double worst = 0;
    for (uint32_t k = 0; k < with.n_canaries + with.n_idle; k++) {
        const bool there = k < with.n_canaries && included[k];
        worst = fmax(worst, fabs(in[k] - out[k] - (there ? with.reach : 0)));
    }
    printf("  %u canaries of %u coordinates reach %g, off by %g\n", with.n_canaries, with.width,
           with.reach, worst);
    CHECK(worst <= off && with.n_canaries > (with.width == 1 ? 1 : 0));
    CHECK(with.reach * with.reach <= (double)with.plan.grid.norm2);
    free(included);
    free(nobody);
    free(in);
    free(out);
    booth_close(&with);
    booth_close(&without);
}

static void a_canary_moves_the_sum_by_its_reach(void)
{
    check_reach(PATIENT, "", 64, 0.6);
    check_reach(SITE, "", 64, 0.6);
    check_reach(SITE, "rounds: {coordinates: 0.5}\n", 64, 0.6);
    check_reach(SITE, "rounds: {local_optimizer: adam, local_epochs: 3}\n", 64, 0.6);
}

static void rotated_or_rounded_by_chance_it_does_so_nearly(void)
{
    check_reach(PATIENT ", rotation: hadamard", "", 64, 8);
    check_reach(SITE ", rounding: stochastic", "", 64, 1.1);
}

/* Of a site's study there is one canary for each honest site, and its direction is any. */
static void directions_change_with_each_quiet_round(void)
{
    static struct booth booth;
    struct study study;
    struct settings_error why = {0};
    const struct booth_settings set = {.coordinates = 64, .seeded = true, .seed = 3};
    uint64_t seen = 0;
    study_with(&study, SITE, "");
    CHECK_OK(booth_open(&booth, &study, &set, &why));
    CHECK(booth.n_slots == 63 && booth.n_canaries == booth.honest && booth.n_idle == 60);
    for (int i = 0; i < 12; i++) {
        CHECK_OK(booth_play(&booth, NULL));
        const uint32_t first = booth.first_slot;
        bool *included = every_other(&booth);
        CHECK_OK(booth_play(&booth, included));
        CHECK(booth.first_slot == first && first < booth.n_slots);
        seen |= 1ull << first;
        free(included);
    }
    CHECK(__builtin_popcountll(seen) > 6);
    booth_close(&booth);
    study_with(&study, PATIENT, "");
    CHECK_OK(booth_open(&booth, &study, &set, &why));
    CHECK_OK(booth_play(&booth, NULL));
    CHECK(booth.n_canaries == 63 && booth.n_idle == 0 && booth.first_slot == 0);
    booth_close(&booth);
}

static void blocks_are_left_out(void)
{
    static struct booth booth;
    struct study study;
    struct settings_error why = {0};
    const struct booth_settings set = {.coordinates = 64, .seeded = true, .seed = 3};
    small_allocation(&study, STUDY_SITE, STUDY_ALLOCATION_EXCLUSIVE);
    study.privacy.epsilon = 8;
    CHECK_OK(booth_open(&booth, &study, &set, &why));
    CHECK_OK(booth_play(&booth, NULL));
    CHECK_NUMBER(params_honest(&booth.plan.params), booth_release(&booth).n_shares);
    booth_close(&booth);
}

static void where_the_grid_is_coarse_rounding_lengthens_it(void)
{
    static struct booth booth;
    struct study study;
    struct settings_error why = {0};
    const struct booth_settings set = {.coordinates = 1u << 16, .seeded = true, .seed = 3};
    study_with(&study, "unit: site, epsilon: 1", "secagg: {bits: 19}\n");
    CHECK_OK(booth_open(&booth, &study, &set, &why));
    const double clip = booth.plan.grid.scale * study.privacy.clip;
    CHECK(booth.width > 1 && booth.reach > 1.05 * clip);
    CHECK(booth.reach * booth.reach <= (double)booth.plan.grid.norm2);
    booth_close(&booth);
    check_reach("unit: site, epsilon: 1", "secagg: {bits: 19}\n", 1u << 16, 1);
}

/* Of 2047 scores; seven deviations of their variance are 22 %, and one site more are 33 %. */
static void what_is_left_is_the_noise_that_nobody_knows(void)
{
    static struct booth booth;
    struct study study;
    struct settings_error why = {0};
    const struct booth_settings set = {.coordinates = 2048, .seeded = true, .seed = 5};
    const char *const privacy[] = {PATIENT, PATIENT ", dropouts: xnoise"};
    for (size_t i = 0; i < 2; i++) {
        study_with(&study, privacy[i], "");
        CHECK_OK(booth_open(&booth, &study, &set, &why));
        double *score = scores_of(&booth, NULL), squares = 0;
        const struct release r = booth_release(&booth);
        for (uint32_t k = 0; k < booth.n_canaries; k++) squares += score[k] * score[k];
        const double variance = squares / booth.n_canaries;
        CHECK_NUMBER(3, r.n_shares);
        CHECK_CLOSE(1, variance / (3.0 * (double)r.sigma * (double)r.sigma), 0.22);
        CHECK_NUMBER(4, bits_count(&booth.round.survivors));
        free(score);
        booth_close(&booth);
    }
}

/* Whoever takes three more shares away than are known adds nine times the variance of one. */
static void noise_of_one_site_is_not_that_of_the_others(void)
{
    static struct booth booth;
    struct study study;
    struct settings_error why = {0};
    const struct booth_settings set = {.coordinates = 2048, .seeded = true, .seed = 5};
    study_with(&study, PATIENT, "");
    CHECK_OK(booth_open(&booth, &study, &set, &why));
    double *score = scores_of(&booth, NULL), squares = 0;
    CHECK_OK(booth_score(&booth, true, score));
    const double sigma = (double)booth_release(&booth).sigma;
    for (uint32_t k = 0; k < booth.n_canaries; k++) squares += score[k] * score[k];
    CHECK_CLOSE(1, squares / booth.n_canaries / ((3.0 + 9.0) * sigma * sigma), 0.22);
    free(score);
    booth_close(&booth);
}

static void rounds_follow_each_other(void)
{
    static struct booth booth;
    struct study study;
    struct settings_error why = {0};
    const struct booth_settings set = {.coordinates = 64, .seeded = true, .seed = 7};
    study_with(&study, PATIENT, "");
    CHECK_OK(booth_open(&booth, &study, &set, &why));
    double *first = scores_of(&booth, NULL), *second = scores_of(&booth, NULL);
    uint32_t same = 0;
    for (uint32_t k = 0; k < booth.n_canaries; k++) same += first[k] == second[k];
    CHECK(same < booth.n_canaries / 4);
    CHECK_NUMBER(2, booth.history.n);
    free(first);
    free(second);
    booth_close(&booth);
}

static void a_sampled_record_is_there_as_often_as_planned(void)
{
    static struct booth booth;
    struct study study;
    struct settings_error why = {0};
    const struct booth_settings set = {
        .coordinates = 2048, .sampled = true, .seeded = true, .seed = 9};
    study_with(&study, "unit: patient, epsilon: 50, sampling: 0.2, records: 4000", "");
    CHECK_OK(booth_open(&booth, &study, &set, &why));
    bool *included = calloc(booth.n_canaries, sizeof *included);
    REQUIRE(included != NULL);
    for (uint32_t k = 0; k < booth.n_canaries; k++) included[k] = true;
    double *score = scores_of(&booth, included), sum = 0;
    for (uint32_t k = 0; k < booth.n_canaries; k++) sum += score[k] / booth.reach;
    CHECK_CLOSE(0.2, sum / booth.n_canaries, 0.08); /* five deviations of coins and noise */
    CHECK(booth_release(&booth).sampling == 0.2);
    free(included);
    free(score);
    booth_close(&booth);
}

/* And who falls silent in a round has closed its connection, and opens one for the next. */
static void over_sockets_scores_are_the_same(void)
{
    enum { ROUNDS = 3 };
    static struct booth memory, real;
    struct study study;
    struct settings_error why = {0};
    struct booth_settings set = {.coordinates = 64, .seeded = true, .seed = 13};
    study_with(&study, SITE, "");
    CHECK_OK(booth_open(&memory, &study, &set, &why));
    set.real = true;
    CHECK_OK(booth_open(&real, &study, &set, &why));
    bool *included = every_other(&memory);
    posted = (struct posted){0};
    for (uint32_t i = 0; i < ROUNDS; i++) {
        double *a = scores_of(&memory, included);
        CHECK_NUMBER(0, posted.messages);
        double *b = scores_of(&real, included);
        CHECK_BYTES(a, b, memory.n_canaries * sizeof *a);
        CHECK(posted.messages > 8u * (memory.n - 1));
        posted.messages = 0;
        free(a);
        free(b);
    }
    CHECK_NUMBER(1, memory.n - memory.honest - memory.plan.params.c);
    CHECK_NUMBER(memory.n + ROUNDS - 1, posted.connections);
    free(included);
    booth_close(&memory);
    booth_close(&real);
}

static void a_letter_that_is_lost_on_its_way_ends_the_round(void)
{
    static struct booth booth;
    struct study study;
    struct settings_error why = {0};
    const struct booth_settings set = {.coordinates = 64, .real = true, .seeded = true};
    study_with(&study, SITE, "");
    CHECK_OK(booth_open(&booth, &study, &set, &why));
    posted = (struct posted){.lose_after = 10};
    CHECK_STATUS(STATUS_IO, booth_play(&booth, NULL));
    posted = (struct posted){0};
    CHECK(strstr(courier_trouble(booth.courier), "lost a message") != NULL);
    booth_close(&booth);
}

static void what_cannot_be_audited_is_refused(void)
{
    static struct booth booth;
    struct study study;
    struct settings_error why = {0};
    struct booth_settings set = {.coordinates = 64, .seeded = true};
    study_with(&study, SITE, "");
    set.sampled = true;
    CHECK_STATUS(STATUS_RANGE, booth_open(&booth, &study, &set, &why));
    CHECK(why.text[0] != '\0');
    booth_close(&booth);
    set.sampled = false;
    study.privacy.epsilon = (double)INFINITY;
    CHECK_STATUS(STATUS_RANGE, booth_open(&booth, &study, &set, &why));
    booth_close(&booth);
    study_with(&study, "unit: site, epsilon: 1", "");
    study.secagg.bits = 16;
    set.coordinates = 1u << 16;
    CHECK_STATUS(STATUS_RANGE, booth_open(&booth, &study, &set, &why));
    booth_close(&booth);
}

static void a_round_that_is_not_opened_says_so(void)
{
    static struct booth booth;
    struct study study;
    struct settings_error why = {0};
    const struct booth_settings set = {.coordinates = 64, .seeded = true, .seed = 11};
    study_with(&study, SITE, "");
    CHECK_OK(booth_open(&booth, &study, &set, &why));
    booth.honest--; /* one more falls silent */
    CHECK_STATUS(STATUS_QUORUM, booth_play(&booth, NULL));
    booth_close(&booth);
}

static void scores_are_untouched_without_memory(void)
{
    static struct booth booth;
    struct study study;
    struct settings_error why = {0};
    const struct booth_settings set = {.coordinates = 64, .seeded = true};
    study_with(&study, SITE ", rotation: hadamard", "");
    CHECK_OK(booth_open(&booth, &study, &set, &why));
    CHECK_OK(booth_play(&booth, NULL));
    OOM_EACH {
        double score[64] = {0.5};
        const enum status status = booth_score(&booth, false, score);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((score[0] == 0.5) == oom_hit());
    }
    booth_close(&booth);
}

static void out_of_memory_leaves_nothing_behind(void)
{
    static struct booth booth;
    struct study study;
    struct settings_error why = {0};
    const struct booth_settings set = {.coordinates = 16, .seeded = true};
    study_with(&study, SITE, "");
    OOM_EACH {
        const enum status status = booth_open(&booth, &study, &set, &why);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        booth_close(&booth);
    }
}

int main(void)
{
    RUN(a_canary_moves_the_sum_by_its_reach);
    RUN(over_sockets_scores_are_the_same);
    RUN(a_letter_that_is_lost_on_its_way_ends_the_round);
    RUN(directions_change_with_each_quiet_round);
    RUN(rotated_or_rounded_by_chance_it_does_so_nearly);
    RUN(blocks_are_left_out);
    RUN(where_the_grid_is_coarse_rounding_lengthens_it);
    RUN(what_is_left_is_the_noise_that_nobody_knows);
    RUN(noise_of_one_site_is_not_that_of_the_others);
    RUN(rounds_follow_each_other);
    RUN(a_sampled_record_is_there_as_often_as_planned);
    RUN(what_cannot_be_audited_is_refused);
    RUN(a_round_that_is_not_opened_says_so);
    RUN(scores_are_untouched_without_memory);
    RUN(out_of_memory_leaves_nothing_behind);
    return check_done();
}
