/* SPDX-License-Identifier: Apache-2.0 */
/* The picture of a plot and its legend. Private to plot*.c. */
#ifndef LAB_PLOT_DRAW_H
#define LAB_PLOT_DRAW_H

#include "lab/plot.h"

void plot_draw(const struct plot *plot, struct buffer *out);
void plot_legend(const struct plot *plot, struct buffer *out);

/* Where an axis begins and ends, and its ticks. */
#define PLOT_TICKS_MAX 12
struct plot_scale {
    bool log;
    double least, most;
    size_t n_ticks;
    double tick[PLOT_TICKS_MAX];
};

/* A scale that holds what lies from least to most, with ticks at round numbers; for a log scale
 * both are above 0. */
struct plot_scale plot_scale(double least, double most, bool log);
/* 0 at its beginning, 1 at its end; what lies outside is at the border. */
double plot_place(const struct plot_scale *scale, double x);

#endif
