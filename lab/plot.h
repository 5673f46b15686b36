/* SPDX-License-Identifier: Apache-2.0 */
/* Figures as SVG inside a page, with their legend below, their numbers folded behind them and in a
 * CSV file. Series differ by colour, marker and dashes, so that print without colour reads too. */
#ifndef LAB_PLOT_H
#define LAB_PLOT_H

#include "lab/page.h"
#include "lab/trend.h"

/* So many are drawn: more cannot be told apart. The numbers have all. */
#define PLOT_SERIES_DRAWN 8
/* So many points of a series are drawn, at even distances. */
#define PLOT_POINTS_DRAWN 400

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
    unsigned colour; /* its place; drawn when less than PLOT_SERIES_DRAWN */
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
    size_t n_series, room;
    struct plot_series *series; /* owned */
    enum status status;         /* sticky: STATUS_NOMEM; STATUS_RANGE a trend had too many points */
};

void plot_free(struct plot *plot);

/* A new series, valid until the next one; NULL when memory is out. */
struct plot_series *plot_series(struct plot *plot, const char *name, enum plot_shape shape);
/* Points whose y is not a number are left out; those that an axis cannot show are numbers only. */
void plot_point(struct plot *plot, struct plot_series *series, struct plot_point point);
/* One series for each group of a sorted trend; mean and interval, or the largest value instead. */
void plot_trend(struct plot *plot, const struct trend *trend, enum plot_shape shape, bool most);

/* How many of its series are drawn, and every how many-th point of one. */
size_t plot_drawn(const struct plot *plot);
size_t plot_stride(const struct plot_series *series);

/* Put the figure into the page's section of figures, with what it leaves out, or say there what
 * would make it: missing, ours. how: the sentence that says how it was made. */
void plot_write(struct plot *plot, struct page *page, const char *how, const char *missing);

#endif
