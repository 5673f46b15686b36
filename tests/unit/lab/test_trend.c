/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/trend.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

/* 95 % interval of 0.81 0.84 0.79 0.83 0.80 by SciPy: t.interval(0.95, 4, mean, sem). */
static void mean_and_interval_are_students(void)
{
    static const double seed[] = {0.81, 0.84, 0.79, 0.83, 0.80};
    AUTO(trend_free) struct trend t = {0};
    const uint32_t g = trend_group(&t, "a");
    for (size_t i = 0; i < 5; i++) trend_add(&t, g, 3, 3, seed[i]);
    CHECK_NUMBER(1, t.n);
    CHECK_NUMBER(5, t.point[0].n);
    CHECK_CLOSE(0.814, t.point[0].mean, 1e-12);
    CHECK_CLOSE(0.84, t.point[0].most, 0);
    CHECK_CLOSE(0.0257491, trend_half_width(&t.point[0]), 1e-5);
}

static void quantiles_are_never_too_small(void)
{
    CHECK_CLOSE(12.7062, trend_student(1), 1e-3);
    CHECK_CLOSE(2.77645, trend_student(4), 1e-3);
    CHECK(trend_student(30) >= 2.04227 && trend_student(1000) >= 1.96234);
    for (uint32_t f = 2; f < 40; f++) CHECK(trend_student(f) <= trend_student(f - 1));
    CHECK(isnan(trend_student(0)));
}

static void one_measurement_has_no_interval(void)
{
    AUTO(trend_free) struct trend t = {0};
    trend_add(&t, trend_group(&t, "a"), 1, 1, 0.5);
    CHECK(isnan(trend_half_width(&t.point[0])));
}

static void places_and_groups_are_told_apart_and_sorted(void)
{
    AUTO(trend_free) struct trend t = {0};
    const uint32_t a = trend_group(&t, "a"), b = trend_group(&t, "b");
    CHECK(a != b && trend_group(&t, "a") == a);
    trend_add(&t, b, (double)INFINITY, (double)INFINITY, 3);
    trend_add(&t, b, 2, 10, 1);
    trend_add(&t, a, 2, 5, 7);
    trend_add(&t, b, 2, 20, 3);
    trend_add(&t, b, (double)INFINITY, (double)INFINITY, 5);
    trend_add(&t, a, 2, 5, (double)NAN);
    trend_add(&t, a, (double)NAN, 5, 1);
    trend_sort(&t);
    CHECK_NUMBER(3, t.n);
    CHECK(t.point[0].group == a && t.point[0].n == 1);
    CHECK_CLOSE(15, t.point[1].x, 1e-12);
    CHECK_CLOSE(2, t.point[1].mean, 1e-12);
    CHECK(isinf(t.point[2].x) && t.point[2].n == 2);
}

static void thousands_of_groups_are_found_again(void)
{
    AUTO(trend_free) struct trend t = {0};
    for (int turn = 0; turn < 2; turn++)
        for (unsigned i = 0; i < 5000; i++) {
            char name[16];
            (void)snprintf(name, sizeof name, "%u", i);
            trend_add(&t, trend_group(&t, name), 1, 1, turn);
        }
    CHECK_STATUS(STATUS_OK, t.status);
    CHECK_NUMBER(5000, t.n_groups);
    CHECK_NUMBER(5000, t.n);
    bool all = true;
    for (unsigned i = 0; i < t.n; i++) all = all && t.point[i].n == 2 && t.point[i].group == i;
    CHECK(all && strcmp(t.group[4999], "4999") == 0);
}

static void too_many_points_are_refused(void)
{
    AUTO(trend_free) struct trend t = {0};
    for (size_t i = 0; i < TREND_POINTS_MAX; i++) trend_add(&t, 0, (double)i, 0, 0);
    CHECK_STATUS(STATUS_OK, t.status);
    trend_add(&t, 0, 7, 0, 1);
    trend_add(&t, 0, -1, 0, 0);
    CHECK_STATUS(STATUS_RANGE, t.status);
    CHECK_NUMBER(TREND_POINTS_MAX, t.n);
    CHECK_NUMBER(2, t.point[7].n);
}

static void zero_has_one_place(void)
{
    AUTO(trend_free) struct trend t = {0};
    trend_add(&t, 0, 0.0, 0, 1);
    trend_add(&t, 0, -0.0, 0, 2);
    CHECK_NUMBER(1, t.n);
}

static void memory_that_is_out_is_kept(void)
{
    OOM_EACH {
        AUTO(trend_free) struct trend t = {0};
        for (int i = 0; i < 100; i++) {
            char name[16];
            (void)snprintf(name, sizeof name, "%d", i);
            trend_add(&t, trend_group(&t, name), i, i, i);
        }
        oom_stop();
        if (t.status == STATUS_OK)
            CHECK_NUMBER(100, t.n);
        else
            CHECK_STATUS(STATUS_NOMEM, t.status);
    }
}

int main(void)
{
    RUN(mean_and_interval_are_students);
    RUN(quantiles_are_never_too_small);
    RUN(one_measurement_has_no_interval);
    RUN(places_and_groups_are_told_apart_and_sorted);
    RUN(thousands_of_groups_are_found_again);
    RUN(too_many_points_are_refused);
    RUN(zero_has_one_place);
    RUN(memory_that_is_out_is_kept);
    return check_done();
}
