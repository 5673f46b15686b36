/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/plot.h"

#include <math.h>
#include <stdio.h>

#include "lab/plot_draw.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/tame.h"

static void linear_ticks_are_round_and_cover_the_data(void)
{
    const struct plot_scale s = plot_scale(0.031, 0.87, false);
    CHECK(s.least <= 0.031 && s.most >= 0.87);
    CHECK_NUMBER(6, s.n_ticks);
    CHECK_CLOSE(0.2, s.tick[1] - s.tick[0], 1e-12);
    CHECK_CLOSE(0, plot_place(&s, -5), 0);
    CHECK_CLOSE(1, plot_place(&s, 5), 0);
    CHECK_CLOSE(0.5, plot_place(&s, 0.5), 1e-12);
}

static void logarithmic_ticks_fit_the_range(void)
{
    const struct plot_scale decades = plot_scale(1e-5, 1, true);
    CHECK_NUMBER(6, decades.n_ticks);
    CHECK_CLOSE(0.5, plot_place(&decades, sqrt(1e-5)), 1e-12);
    const struct plot_scale fine = plot_scale(1, 50, true);
    CHECK_NUMBER(6, fine.n_ticks);
    CHECK_CLOSE(2, fine.tick[1], 1e-12);
    const struct plot_scale narrow = plot_scale(5e5, 1.3e6, true);
    CHECK(narrow.n_ticks >= 4);
    const struct plot_scale vast = plot_scale(1e-15, 1e15, true);
    CHECK(vast.n_ticks >= 3 && vast.n_ticks <= PLOT_TICKS_MAX);
    CHECK(vast.tick[vast.n_ticks - 1] > 1e10);
}

static void one_value_alone_has_a_range(void)
{
    for (int log = 0; log < 2; log++) {
        const struct plot_scale s = plot_scale(3, 3, log != 0);
        CHECK(s.least < 3 && s.most > 3 && s.n_ticks > 0);
    }
    const struct plot_scale zero = plot_scale(0, 0, false);
    CHECK(zero.least < 0 && zero.most > 0);
}

static struct plot sample(void)
{
    return (struct plot){.name = "p",
                         .title = "A figure",
                         .x = {.name = "x", .log = true},
                         .y = {.name = "y"},
                         .beyond = "inf"};
}

static void infinity_has_a_place_of_its_own(void)
{
    AUTO(plot_free) struct plot plot = sample();
    AUTO(page_free) struct page page = {.folder = "f"};
    struct plot_series *s = plot_series(&plot, "</svg><b>", PLOT_CURVE);
    plot_point(&plot, s, (struct plot_point){1, 2, 1.5, 2.5, 3});
    plot_point(&plot, s, (struct plot_point){10, 3, (double)NAN, (double)NAN, 1});
    plot_point(&plot, s, (struct plot_point){(double)INFINITY, 4, (double)NAN, (double)NAN, 1});
    plot_point(&plot, s, (struct plot_point){3, (double)NAN, (double)NAN, (double)NAN, 1});
    CHECK_NUMBER(3, plot.series[0].n);
    plot_write(&plot, &page, "By a test.", "nothing");
    const struct view html = buffer_view(&page.html);
    CHECK(tame_page(html));
    CHECK(tame_says(html, "4 at infinity") && tame_says(html, "class=\"level\""));
    CHECK(!tame_says(html, "nan") && !tame_says(html, "<b>"));
    CHECK(tame_says(buffer_view(&page.file[0].bytes), "\n\"</svg><b>\",inf,4,,,1\n"));
}

static void a_figure_without_points_says_what_makes_it(void)
{
    AUTO(plot_free) struct plot plot = sample();
    AUTO(page_free) struct page page = {0};
    (void)plot_series(&plot, "empty", PLOT_CURVE);
    page_figures_begin(&page, "Figures");
    plot_write(&plot, &page, "how", "give --more");
    page_figures_end(&page);
    CHECK(tame_page(buffer_view(&page.html)));
    CHECK(tame_says(buffer_view(&page.html), "A figure: give --more"));
    CHECK(!tame_says(buffer_view(&page.html), "<svg"));
}

static void series_that_are_not_drawn_are_named_and_in_the_numbers(void)
{
    AUTO(plot_free) struct plot plot = sample();
    AUTO(page_free) struct page page = {0};
    for (int i = 0; i < 8 + 3; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "series %d", i);
        struct plot_series *s = plot_series(&plot, name, PLOT_MARKS);
        if (i != 9)
            plot_point(&plot, s, (struct plot_point){1, i + 1, (double)NAN, (double)NAN, 0});
    }
    plot_write(&plot, &page, "", "");
    CHECK(tame_page(buffer_view(&page.html)));
    CHECK(tame_says(buffer_view(&page.html), "2 more series are not drawn"));
    CHECK(tame_says(buffer_view(&page.html), ": series 8; series 10."));
    CHECK(tame_says(buffer_view(&page.file[0].bytes), "\"series 0\",1,1,"));
    CHECK(tame_says(buffer_view(&page.file[0].bytes), "\"series 8\",1,9,"));
    CHECK(tame_says(buffer_view(&page.file[0].bytes), "\"series 10\",1,11,"));
}

static void many_points_are_thinned_and_banded(void)
{
    AUTO(plot_free) struct plot plot = sample();
    AUTO(page_free) struct page page = {0};
    struct plot_series *s = plot_series(&plot, "s", PLOT_CURVE);
    for (int i = 1; i <= 100000; i++)
        plot_point(&plot, s, (struct plot_point){i, i, i - 1, i + 1, 5});
    plot_write(&plot, &page, "", "");
    CHECK(tame_page(buffer_view(&page.html)) && page.html.n < 100000);
    CHECK(tame_says(buffer_view(&page.html), "class=\"band\""));
    CHECK(tame_says(buffer_view(&page.html), "only some points are drawn"));
}

static void a_trend_with_too_many_points_is_no_figure(void)
{
    AUTO(plot_free) struct plot plot = sample();
    AUTO(page_free) struct page page = {0};
    struct trend trend = {.status = STATUS_RANGE};
    plot_trend(&plot, &trend, PLOT_CURVE, false);
    page_figures_begin(&page, "Figures");
    plot_write(&plot, &page, "how", "give --more");
    page_figures_end(&page);
    CHECK(tame_says(buffer_view(&page.html), "A figure: there are too many points"));
    CHECK_OK(page_status(&page));
}

static void what_an_axis_cannot_show_does_no_harm(void)
{
    AUTO(plot_free) struct plot plot = sample();
    AUTO(page_free) struct page page = {0};
    struct plot_series *s = plot_series(&plot, "s", PLOT_CURVE);
    plot_point(&plot, s, (struct plot_point){0, -1e15, -1e15, 1e15, 5});
    plot_point(&plot, s, (struct plot_point){-3, 1e15, (double)NAN, (double)NAN, 5});
    plot_point(&plot, s, (struct plot_point){2, 3, (double)NAN, (double)NAN, 5});
    plot_write(&plot, &page, "", "");
    CHECK(tame_page(buffer_view(&page.html)) && !tame_says(buffer_view(&page.html), "nan"));
    CHECK(tame_says(buffer_view(&page.html), "s: 3 at 2"));
    CHECK(!tame_says(buffer_view(&page.html), "at 0") &&
          !tame_says(buffer_view(&page.html), "at -3"));
    CHECK(tame_says(buffer_view(&page.file[0].bytes), "\"s\",-3,1e+15,"));
}

static void memory_that_is_out_is_kept(void)
{
    OOM_EACH {
        AUTO(plot_free) struct plot plot = sample();
        AUTO(page_free) struct page page = {0};
        struct plot_series *s = plot_series(&plot, "s", PLOT_CURVE);
        for (int i = 1; i < 40; i++)
            plot_point(&plot, s, (struct plot_point){i, i, (double)NAN, (double)NAN, 1});
        plot_write(&plot, &page, "", "");
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, page_status(&page));
        if (!oom_hit()) CHECK_NUMBER(39, plot.series[0].n);
    }
}

int main(void)
{
    RUN(linear_ticks_are_round_and_cover_the_data);
    RUN(logarithmic_ticks_fit_the_range);
    RUN(one_value_alone_has_a_range);
    RUN(infinity_has_a_place_of_its_own);
    RUN(a_figure_without_points_says_what_makes_it);
    RUN(series_that_are_not_drawn_are_named_and_in_the_numbers);
    RUN(many_points_are_thinned_and_banded);
    RUN(a_trend_with_too_many_points_is_no_figure);
    RUN(what_an_axis_cannot_show_does_no_harm);
    RUN(memory_that_is_out_is_kept);
    return check_done();
}
