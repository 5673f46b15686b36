/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/membership.h"

#include <math.h>
#include <stdio.h>

#include "crypto/rng.h"
#include "dp/tail.h"
#include "lab/score.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/vectors.h"

static const char *vectors;

static void a_margin_is_the_log_of_the_odds(void)
{
    const float logit[] = {1.0F, 2.0F, -0.5F};
    const double others = exp(1) + exp(-0.5);
    CHECK_CLOSE(2 - log(others), membership_margin(logit, 1, 3), 1e-12);
    CHECK_CLOSE(log(tail_rate(0.7) / (1 - tail_rate(0.7))), 0.7, 1e-12);
    const float sure[] = {500.0F, -500.0F};
    CHECK_CLOSE(1000, membership_margin(sure, 0, 2), 1e-12);
    CHECK_CLOSE(-1000, membership_margin(sure, 1, 2), 1e-12);
}

/* --- scores ------------------------------------------------------------------------------------
 */

enum { RECORDS = 12 };

/* As tests/vectors/membership.py has them. */
static void fill(struct membership *m, uint32_t references)
{
    CHECK_OK(membership_new(m, RECORDS, references));
    for (uint32_t i = 0; i < RECORDS; i++) {
        m->target[i] = ((11 * i) % 23 - 9.0) / 3;
        for (uint32_t k = 0; k < references; k++) {
            m->reference[k * RECORDS + i] = ((7 * i + 5 * k * k) % 19 - 8.0) / 4;
            m->seen[k * RECORDS + i] = (i + 3 * k) % 4 < 2;
        }
    }
}

/* tests/vectors/membership.csv: references, record, LiRA, RMIA. */
static void scores_are_those_of_the_papers_formulas(void)
{
    struct vectors v;
    vectors_open(&v, vectors);
    uint32_t rows = 0, last = 0;
    double lira[RECORDS] = {0}, rmia[RECORDS] = {0};
    while (vectors_next(&v)) {
        unsigned references = 0, record = 0;
        double want_lira = 0, want_rmia = 0;
        CHECK(sscanf(v.line, "%u,%u,%lf,%lf", &references, &record, &want_lira, &want_rmia) == 4);
        if (references != last) {
            AUTO(membership_free) struct membership m = {0};
            fill(&m, references);
            CHECK_OK(membership_lira(lira, &m));
            CHECK_OK(membership_rmia(rmia, &m, MEMBERSHIP_RMIA_A));
            last = references;
        }
        CHECK(record < RECORDS);
        CHECK_CLOSE(want_lira, lira[record % RECORDS], 1e-10);
        CHECK_CLOSE(want_rmia, rmia[record % RECORDS], 1e-10);
        rows++;
    }
    CHECK_NUMBER(24, rows);
}

static double odds(double p)
{
    return log(p / (1 - p));
}

/* Two records, p = 0.9 where others give 0.9, and 0.5 where they give 0.3: p / pbar is 0.947 and
 * 0.769 with a = 0, but 0.973 and 1.053 with a = 1/2. */
static void a_weighs_what_the_references_say(void)
{
    AUTO(membership_free) struct membership m = {0};
    double score[2];
    CHECK_OK(membership_new(&m, 2, 1));
    m.target[0] = odds(0.9);
    m.target[1] = odds(0.5);
    m.reference[0] = odds(0.9);
    m.reference[1] = odds(0.3);
    CHECK_OK(membership_rmia(score, &m, 0));
    CHECK(score[0] > score[1]);
    CHECK_OK(membership_rmia(score, &m, 0.5));
    CHECK(score[0] < score[1]);
}

static void what_a_reference_has_seen_moves_no_score(void)
{
    AUTO(membership_free) struct membership m = {0};
    double before[2][RECORDS], after[2][RECORDS];
    fill(&m, 8);
    CHECK_OK(membership_lira(before[0], &m));
    CHECK_OK(membership_rmia(before[1], &m, MEMBERSHIP_RMIA_A));
    for (size_t i = 0; i < 8 * RECORDS; i++)
        if (m.seen[i]) m.reference[i] += 7;
    CHECK_OK(membership_lira(after[0], &m));
    CHECK_OK(membership_rmia(after[1], &m, MEMBERSHIP_RMIA_A));
    CHECK_BYTES(before, after, sizeof before);
}

static void a_record_that_all_have_seen_is_refused(void)
{
    AUTO(membership_free) struct membership m = {0};
    double score[RECORDS] = {42};
    fill(&m, 8);
    for (uint32_t k = 0; k < 8; k++) m.seen[k * RECORDS + 3] = true;
    CHECK_STATUS(STATUS_RANGE, membership_lira(score, &m));
    CHECK_STATUS(STATUS_RANGE, membership_rmia(score, &m, 0.3));
    CHECK_CLOSE(42, score[0], 0);
}

static void one_reference_each_gives_no_deviation(void)
{
    AUTO(membership_free) struct membership m = {0};
    double score[RECORDS] = {42};
    fill(&m, 1);
    for (uint32_t i = 0; i < RECORDS; i++) m.seen[i] = false;
    CHECK_STATUS(STATUS_RANGE, membership_lira(score, &m));
    CHECK_CLOSE(42, score[0], 0);
    CHECK_OK(membership_rmia(score, &m, 0.3));
}

/* --- ROC ---------------------------------------------------------------------------------------
 */

static void a_curve_by_hand(void)
{
    /* From the highest: member, other, two at 3 of which one is a member, other, member. */
    const double score[] = {1, 3, 5, 4, 2, 3};
    const uint8_t member[] = {1, 0, 1, 0, 0, 1};
    struct membership_roc roc;
    CHECK_OK(membership_roc(&roc, score, member, 6));
    const double fpr[] = {0, 1 / 3.0, 2 / 3.0, 1}, tpr[] = {1 / 3.0, 1 / 3.0, 2 / 3.0, 1};
    CHECK_NUMBER(4, roc.n);
    for (size_t i = 0; i < 4 && i < roc.n; i++) {
        CHECK_CLOSE(fpr[i], roc.fpr[i], 1e-12);
        CHECK_CLOSE(tpr[i], roc.tpr[i], 1e-12);
    }
}

static void equal_scores_are_one_step_whoever_comes_first(void)
{
    const double score[] = {3, 3, 3, 3};
    const uint8_t first[] = {1, 1, 0, 0}, last[] = {0, 0, 1, 1};
    struct membership_roc roc;
    for (int i = 0; i < 2; i++) {
        CHECK_OK(membership_roc(&roc, score, i == 0 ? first : last, 4));
        CHECK_NUMBER(2, roc.n);
        CHECK_CLOSE(0, roc.tpr[0] + roc.fpr[0], 0);
        CHECK_CLOSE(2, roc.tpr[1] + roc.fpr[1], 0);
    }
}

/* Of many scores, every point that is given is one of the whole curve, and few false positives are
 * there one by one. */
static void a_long_curve_keeps_its_left_end(void)
{
    enum { N = 40000 };
    static double score[N];
    static uint8_t member[N];
    struct rng rng = {0};
    struct membership_roc roc;
    rng_numbered(&rng, 1);
    for (size_t i = 0; i < N; i++) {
        member[i] = i % 2;
        score[i] = rng_normal(&rng) + (double)(i % 2);
    }
    CHECK_OK(membership_roc(&roc, score, member, N));
    CHECK(roc.n > 100 && roc.n <= MEMBERSHIP_ROC_MAX);
    for (size_t p = 0; p < 8; p++) CHECK_CLOSE((double)p / (N / 2), roc.fpr[p], 1e-12);
    double area = 0, auc = 0;
    for (size_t p = 1; p < roc.n; p++) {
        CHECK(roc.fpr[p] > roc.fpr[p - 1] && roc.tpr[p] >= roc.tpr[p - 1]);
        area += (roc.fpr[p] - roc.fpr[p - 1]) * (roc.tpr[p] + roc.tpr[p - 1]) / 2;
    }
    CHECK_CLOSE(1, roc.fpr[roc.n - 1], 0);
    CHECK_OK(score_auc(&auc, score, member, N));
    CHECK_CLOSE(auc, area, 5e-3);
}

/* --- points ------------------------------------------------------------------------------------
 */

/* Nonmembers at even places score 0, 1, 2, ...; those at odd places 10 times as much; members come
 * last. */
enum { OTHERS = 400, MEMBERS = 10 };

static void fill_points(double *score, uint8_t *member)
{
    for (size_t i = 0; i < OTHERS + MEMBERS; i++) {
        member[i] = i >= OTHERS;
        score[i] = i % 2 == 0 ? (double)i / 2 : 10 * (double)(i / 2);
    }
    for (size_t i = 0; i < MEMBERS; i++) score[OTHERS + i] = 190 + (double)i;
}

static void a_threshold_is_chosen_by_those_who_are_not_counted(void)
{
    double score[OTHERS + MEMBERS];
    uint8_t member[OTHERS + MEMBERS];
    struct membership_point p;
    fill_points(score, member);
    CHECK_OK(membership_point(&p, score, member, OTHERS + MEMBERS, 0.01, 0.95));
    /* 2 of the 200 that choose may be above it: 198 and 199. */
    CHECK(p.measured);
    CHECK_CLOSE(197, p.threshold, 0);
    CHECK_NUMBER(2, p.true_positives);
    CHECK_NUMBER(MEMBERS, p.members);
    CHECK_NUMBER(180, p.false_positives); /* 200, 210, ... 1990 */
    CHECK_NUMBER(200, p.nonmembers);
    CHECK_CLOSE(0.2, p.tpr, 1e-12);
    CHECK_CLOSE(0.9, p.fpr, 1e-12);
    /* Clopper and Pearson's limits of 2 of 10, as every table has them. */
    CHECK_CLOSE(0.025210726, p.tpr_low, 1e-8);
    CHECK_CLOSE(0.556095462, p.tpr_high, 1e-8);
}

static void limits_of_none_and_all_are_open_at_one_end(void)
{
    double score[OTHERS + MEMBERS];
    uint8_t member[OTHERS + MEMBERS];
    struct membership_point p;
    fill_points(score, member);
    for (size_t i = 0; i < MEMBERS; i++) score[OTHERS + i] = 1e9;
    CHECK_OK(membership_point(&p, score, member, OTHERS + MEMBERS, 0.01, 0.95));
    CHECK_CLOSE(1, p.tpr_high, 0);
    CHECK_CLOSE(pow(0.025, 0.1), p.tpr_low, 1e-8);
    for (size_t i = 0; i < MEMBERS; i++) score[OTHERS + i] = -1e9;
    CHECK_OK(membership_point(&p, score, member, OTHERS + MEMBERS, 0.01, 0.95));
    CHECK_CLOSE(0, p.tpr_low, 1e-8);
    CHECK_CLOSE(1 - pow(0.025, 0.1), p.tpr_high, 1e-8);
}

static void too_few_nonmembers_measure_nothing(void)
{
    double score[OTHERS + MEMBERS];
    uint8_t member[OTHERS + MEMBERS];
    struct membership_point p;
    fill_points(score, member);
    CHECK_OK(membership_point(&p, score, member, OTHERS + MEMBERS, 0.001, 0.95));
    CHECK(!p.measured);
    CHECK_NUMBER(2000, p.needed);
    CHECK_OK(membership_point(&p, score, member, OTHERS + MEMBERS, 0.005, 0.95));
    CHECK(p.measured);
    CHECK_NUMBER(OTHERS, p.needed);
}

static void equal_scores_are_called_alike(void)
{
    double score[OTHERS + MEMBERS] = {0};
    uint8_t member[OTHERS + MEMBERS];
    struct membership_point p;
    fill_points(score, member);
    for (size_t i = 0; i < OTHERS + MEMBERS; i++) score[i] = 1;
    CHECK_OK(membership_point(&p, score, member, OTHERS + MEMBERS, 0.1, 0.95));
    CHECK_NUMBER(0, p.true_positives);
    CHECK_NUMBER(0, p.false_positives);
}

static void what_cannot_be_told_apart_is_refused(void)
{
    const double score[] = {1, 2, 3}, odd[] = {1, (double)NAN, 3};
    const uint8_t none[] = {0, 0, 0}, all[] = {1, 1, 1}, two[] = {1, 1, 0}, one[] = {1, 0, 0};
    struct membership_roc roc = {.n = 7};
    struct membership_point p = {.target = 7};
    CHECK_STATUS(STATUS_RANGE, membership_roc(&roc, score, none, 3));
    CHECK_STATUS(STATUS_RANGE, membership_roc(&roc, score, all, 3));
    CHECK_STATUS(STATUS_RANGE, membership_roc(&roc, odd, one, 3));
    CHECK_STATUS(STATUS_RANGE, membership_point(&p, score, none, 3, 0.5, 0.95));
    CHECK_STATUS(STATUS_RANGE, membership_point(&p, score, two, 3, 0.5, 0.95));
    CHECK_STATUS(STATUS_RANGE, membership_point(&p, odd, one, 3, 0.5, 0.95));
    CHECK_NUMBER(7, roc.n);
    CHECK_CLOSE(7, p.target, 0);
}

static void without_memory_it_says_so(void)
{
    double score[RECORDS] = {0};
    uint8_t member[RECORDS] = {1};
    OOM_EACH {
        AUTO(membership_free) struct membership m = {0};
        struct membership_roc roc = {.n = 7};
        struct membership_point p = {.target = 7};
        enum status status = membership_new(&m, RECORDS, 4);
        if (status == STATUS_OK) {
            status = membership_rmia(score, &m, 0.3);
            if (status == STATUS_OK) status = membership_roc(&roc, score, member, RECORDS);
            if (status != STATUS_OK) CHECK_NUMBER(7, roc.n);
            if (status == STATUS_OK)
                status = membership_point(&p, score, member, RECORDS, 0.5, 0.95);
            if (status != STATUS_OK) CHECK_CLOSE(7, p.target, 0);
        }
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
    }
}

int main(int argc, char **argv)
{
    vectors = argc == 2 ? argv[1] : "";
    RUN(a_margin_is_the_log_of_the_odds);
    RUN(scores_are_those_of_the_papers_formulas);
    RUN(a_weighs_what_the_references_say);
    RUN(what_a_reference_has_seen_moves_no_score);
    RUN(a_record_that_all_have_seen_is_refused);
    RUN(one_reference_each_gives_no_deviation);
    RUN(a_curve_by_hand);
    RUN(equal_scores_are_one_step_whoever_comes_first);
    RUN(a_long_curve_keeps_its_left_end);
    RUN(a_threshold_is_chosen_by_those_who_are_not_counted);
    RUN(limits_of_none_and_all_are_open_at_one_end);
    RUN(too_few_nonmembers_measure_nothing);
    RUN(equal_scores_are_called_alike);
    RUN(what_cannot_be_told_apart_is_refused);
    RUN(without_memory_it_says_so);
    return check_done();
}
