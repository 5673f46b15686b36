/* SPDX-License-Identifier: Apache-2.0 */
/* Figures as SVG inside a page, with their legend below, their numbers folded behind them and in a
 * CSV file. Series differ by colour, marker and dashes, so that print without colour reads too. */
#ifndef LAB_PLOT_H
#define LAB_PLOT_H

#include "lab/page.h"
#include "lab/trend.h"

/* As many as can be told apart. */
#define PLOT_SERIES_MAX 8

struct plot_point {
    double x, y, low, high; /* low and high: NAN where there is no interval */
    uint32_t n;             /* what it was measured from; 0: not a mean */
};

enum plot_shape {
    PLOT_CURVE, /* marks joined by lines, intervals as a band where points are many, else bars */
    PLOT_MARKS, /* marks alone */
    PLOT_LEVEL, /* one dashed line across, at the first point's y */
};

struct plot_series {
    char name[TREND_LABEL_MAX];
    enum plot_shape shape;
    unsigned colour; /* 0..PLOT_SERIES_MAX - 1 */
    size_t n, room;
    struct plot_point *point; /* owned */
};

struct plot_axis {
    const char *name;   /* ours */
    bool log, share;    /* share: it ends at 0 and at 1 */
    double least, most; /* the range must reach so far at least; both 0: as the points ask */
};

struct plot {
    const char *name, *title; /* of the CSV file; ours, both */
    struct plot_axis x, y;
    const char *beyond; /* the name of a place right of the axis for infinite x; NULL: none */
    bool diagonal;      /* y = x, as a guide */
    size_t n_series, left_out; /* left_out: series beyond PLOT_SERIES_MAX */
    struct plot_series series[PLOT_SERIES_MAX];
    enum status status; /* sticky: STATUS_NOMEM */
};

void plot_free(struct plot *plot);

/* A new series, or NULL when it must be left out. The colour is that of its place. */
struct plot_series *plot_series(struct plot *plot, const char *name, enum plot_shape shape);
/* Points whose y is not a number are left out. */
void plot_point(struct plot *plot, struct plot_series *series, struct plot_point point);
/* One series for each group of a sorted trend; mean and interval, or the largest value instead. */
void plot_trend(struct plot *plot, const struct trend *trend, enum plot_shape shape, bool most);

/* Put the figure into the page's section of figures, or say there what would make it: missing,
 ours. how: the sentence that says how it was made. */
void plot_write(struct plot *plot, struct page *page, const char *how, const char *missing);

#endif
