/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lab/document.h"
#include "lab/plot_draw.h"
#include "lab/sheet.h"

/* Of the series that are not drawn, the page names so many. */
enum { NAMES_TOLD = 12 };

void plot_free(struct plot *plot)
{
    for (size_t i = 0; i < plot->n_series; i++) free(plot->series[i].point);
    free(plot->series);
    plot->series = NULL;
    plot->n_series = plot->room = 0;
}

struct plot_series *plot_series(struct plot *plot, const char *name, enum plot_shape shape)
{
    if (plot->n_series == plot->room) {
        const size_t room = plot->room == 0 ? PLOT_SERIES_DRAWN : 2 * plot->room;
        struct plot_series *more = realloc(plot->series, room * sizeof *more);
        if (more == NULL) {
            plot->status = STATUS_NOMEM;
            return NULL;
        }
        plot->series = more;
        plot->room = room;
    }
    struct plot_series *series = &plot->series[plot->n_series];
    *series = (struct plot_series){.shape = shape, .colour = (unsigned)plot->n_series++};
    document_cut(series->name, sizeof series->name, name);
    return series;
}

void plot_point(struct plot *plot, struct plot_series *series, struct plot_point point)
{
    if (series == NULL || !isfinite(point.y) || isnan(point.x) || plot->status != STATUS_OK) return;
    if (series->n == series->room) {
        const size_t room = series->room == 0 ? 16 : 2 * series->room;
        struct plot_point *more = realloc(series->point, room * sizeof *more);
        if (more == NULL) {
            plot->status = STATUS_NOMEM;
            return;
        }
        series->point = more;
        series->room = room;
    }
    series->point[series->n++] = point;
}

void plot_trend(struct plot *plot, const struct trend *trend, enum plot_shape shape, bool most)
{
    struct plot_series *series = NULL;
    if (trend->status != STATUS_OK) plot->status = trend->status;
    for (size_t i = 0; i < trend->n; i++) {
        const struct trend_point *p = &trend->point[i];
        if (i == 0 || p->group != p[-1].group)
            series = plot_series(plot, trend->group[p->group], shape);
        const double half = most ? (double)NAN : trend_half_width(p);
        plot_point(plot, series,
                   (struct plot_point){.x = p->x,
                                       .y = most ? p->most : p->mean,
                                       .low = p->mean - half,
                                       .high = p->mean + half,
                                       .n = p->n});
    }
}

static void write_numbers(const struct plot *plot, struct page *page, const char *how)
{
    const char *const heads[] = {"series", plot->x.name, plot->y.name, "95 % from",
                                 "to",     "n",          NULL};
    AUTO(sheet_free) struct sheet sheet = {0};
    sheet_begin(&sheet, page, plot->name, heads);
    for (size_t i = 0; i < plot->n_series; i++)
        for (size_t j = 0; j < plot->series[i].n; j++) {
            const struct plot_point *p = &plot->series[i].point[j];
            sheet_text(&sheet, plot->series[i].name);
            sheet_number(&sheet, "%.6g", plot->series[i].shape == PLOT_LEVEL ? (double)NAN : p->x);
            sheet_number(&sheet, "%.4f", p->y);
            sheet_number(&sheet, "%.4f", p->low);
            sheet_number(&sheet, "%.4f", p->high);
            sheet_number(&sheet, "%.0f", p->n == 0 ? (double)NAN : (double)p->n);
        }
    sheet_end(&sheet, "The numbers", how);
}

size_t plot_drawn(const struct plot *plot)
{
    return plot->n_series < PLOT_SERIES_DRAWN ? plot->n_series : PLOT_SERIES_DRAWN;
}

size_t plot_stride(const struct plot_series *series)
{
    return (series->n + PLOT_POINTS_DRAWN - 1) / PLOT_POINTS_DRAWN;
}

/* What is in the numbers and not in the picture. */
static void tell_left_out(const struct plot *plot, struct buffer *out)
{
    size_t left_out = 0, thinned = 0;
    for (size_t i = plot_drawn(plot); i < plot->n_series; i++) left_out += plot->series[i].n > 0;
    for (size_t i = 0; i < plot_drawn(plot); i++) thinned += plot_stride(&plot->series[i]) > 1;
    if (left_out > 0) {
        page_print(
            out,
            "<p class=\"soft\">%zu more series are not drawn, for more than %d cannot be told "
            "apart; the CSV file has their numbers:",
            left_out, PLOT_SERIES_DRAWN);
        for (size_t i = plot_drawn(plot), told = 0; i < plot->n_series && told < NAMES_TOLD; i++) {
            if (plot->series[i].n == 0) continue;
            page_print(out, told++ > 0 ? "; " : " ");
            page_text(out, plot->series[i].name);
        }
        page_print(out, left_out > NAMES_TOLD ? "; and others.</p>\n" : ".</p>\n");
    }
    if (thinned > 0)
        page_print(out,
                   "<p class=\"soft\">Of series with more than %d points only some points are "
                   "drawn.</p>\n",
                   PLOT_POINTS_DRAWN);
}

void plot_write(struct plot *plot, struct page *page, const char *how, const char *missing)
{
    struct buffer *out = &page->html;
    if (plot->status == STATUS_RANGE) {
        page_figure_missing(page, plot->title,
                            "there are too many points. Report on the runs in parts.");
        return;
    }
    if (plot->status != STATUS_OK) out->status = plot->status;
    size_t points = 0;
    for (size_t i = 0; i < plot->n_series; i++) points += plot->series[i].n;
    if (points == 0) {
        page_figure_missing(page, plot->title, missing);
        return;
    }
    page_print(out, "<figure><h3>%s</h3>\n", plot->title);
    plot_draw(plot, out);
    plot_legend(plot, out);
    tell_left_out(plot, out);
    write_numbers(plot, page, how);
    page_print(out, "</figure>\n");
}
