/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "lab/plot_draw.h"

static void tick(struct plot_scale *scale, double x)
{
    const double slack = 1e-9 * (scale->most - scale->least);
    if (scale->n_ticks < PLOT_TICKS_MAX && x >= scale->least - slack && x <= scale->most + slack)
        scale->tick[scale->n_ticks++] = x;
}

/* A round step that gives about five ticks. */
static double step_of(double least, double most)
{
    const double wish = (most - least) / 5, unit = pow(10, floor(log10(wish)));
    return unit * (wish <= unit * 1.0001   ? 1
                   : wish <= 2.0001 * unit ? 2
                   : wish <= 5.0001 * unit ? 5
                                           : 10);
}

static struct plot_scale linear(double least, double most)
{
    if (!(most - least > 1e-12 * fmax(fabs(most), fabs(least)))) {
        const double room = fmax(0.1 * fabs(most), 1e-3);
        least -= room;
        most += room;
    }
    const double step = step_of(least, most);
    struct plot_scale scale = {.least = step * floor(least / step + 1e-9),
                               .most = step * ceil(most / step - 1e-9)};
    for (double k = 0; k < PLOT_TICKS_MAX; k++) tick(&scale, scale.least + k * step);
    return scale;
}

/* Decades, every so many of them; within two decades 1, 2 and 5 of each; within less than one what
 * a linear scale has. */
static struct plot_scale logarithmic(double least, double most)
{
    static const double of_decade[] = {1, 2, 5};
    if (!(most > 1.0001 * least)) {
        least /= 1.5;
        most *= 1.5;
    }
    struct plot_scale scale = {.log = true, .least = least, .most = most};
    if (most < 8 * least) {
        const double step = step_of(least, most), first = step * ceil(least / step - 1e-9);
        for (double k = 0; k < PLOT_TICKS_MAX; k++) tick(&scale, first + k * step);
        return scale;
    }
    const double first = floor(log10(least)), last = ceil(log10(most));
    const double step = ceil((last - first) / 8);
    const size_t fine = log10(most / least) < 2.3 ? 3 : 1;
    for (double decade = first; decade <= last; decade += step)
        for (size_t i = 0; i < fine; i++) tick(&scale, of_decade[i] * pow(10, decade));
    return scale;
}

struct plot_scale plot_scale(double least, double most, bool log)
{
    return log ? logarithmic(least, most) : linear(least, most);
}

double plot_place(const struct plot_scale *scale, double x)
{
    const double at = scale->log ? (x > scale->least ? log(x / scale->least) : 0) /
                                       log(scale->most / scale->least)
                                 : (x - scale->least) / (scale->most - scale->least);
    return fmin(fmax(at, 0), 1);
}
