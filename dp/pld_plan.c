/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/pld_plan.h"

#include <math.h>
#include <stdlib.h>

#include "dp/pld.h"

#define COARSE_CELLS 256
#define CELLS_MIN (UINT32_C(1) << 12)
/* Of all transforms together: what a long list may cost. */
#define CELLS_ALL 20e6
/* Tilted chance below the window. */
#define OUTSIDE 1e-12
#define SLACK 100.0
#define TILT_MIN 1e-4
#define TILT_MAX 1e7

void pld_plan_free(struct pld_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        if (plan->walk != NULL) mechanism_walk_free(&plan->walk[i]);
        if (plan->law != NULL) pld_law_free(&plan->law[i]);
    }
    free(plan->list);
    free(plan->walk);
    free(plan->law);
    *plan = (struct pld_plan){0};
}

static double total_log_moment(const struct pld_plan *plan, double power)
{
    double sum = 0.0;
    for (size_t i = 0; i < plan->n; i++)
        sum += (double)plan->list[i].times * pld_law_moment(&plan->law[i], power);
    return sum;
}

/* Where f(exp(t)), which falls and then rises, is least. */
static double least_of(double (*f)(const struct pld_plan *plan, double x),
                       const struct pld_plan *plan, double low, double high)
{
    const double golden = 0.6180339887498949;
    double a = log(low), b = log(high);
    double c = b - golden * (b - a), d = a + golden * (b - a);
    double fc = f(plan, exp(c)), fd = f(plan, exp(d));
    while (b - a > 0.01) {
        if (fc < fd) {
            b = d, d = c, fd = fc;
            c = b - golden * (b - a), fc = f(plan, exp(c));
        } else {
            a = c, c = d, fc = fd;
            d = a + golden * (b - a), fd = f(plan, exp(d));
        }
    }
    return exp((a + b) / 2.0);
}

/* The epsilon that Chernoff's bound gives at the tilt x, for exp(-cost) as delta. */
static double chernoff(const struct pld_plan *plan, double x)
{
    return (total_log_moment(plan, x) + plan->cost) / x;
}

/* Minus the loss below which the tilted chance is OUTSIDE at most. */
static double bottom(const struct pld_plan *plan, double x)
{
    const double base = total_log_moment(plan, plan->tilt);
    return (total_log_moment(plan, plan->tilt - x) - base - log(OUTSIDE)) / x;
}

/* The smallest tilt at which Chernoff's bound of delta is worse than the best by SLACK at most:
 * more would only make the tails heavier. */
static double tilt_for(const struct pld_plan *plan)
{
    const double slack = log(fmax(1.0, SLACK / fmax(1.0, plan->times * 1e-4)));
    double low = log(TILT_MIN), high = log(plan->best);
    while (high - low > 0.01) {
        const double middle = (low + high) / 2.0;
        if (plan->cost + total_log_moment(plan, exp(middle)) - exp(middle) * plan->epsilon > slack)
            low = middle;
        else
            high = middle;
    }
    return exp(high);
}

/* By all but times. */
static int compare(const void *a, const void *b)
{
    const struct mechanism *x = a, *y = b;
    const double of_x[] = {(double)x->kind,   x->noise,    (double)x->shift,
                           (double)x->shares, x->sampling, (double)x->replace};
    const double of_y[] = {(double)y->kind,   y->noise,    (double)y->shift,
                           (double)y->shares, y->sampling, (double)y->replace};
    for (size_t i = 0; i < sizeof of_x / sizeof *of_x; i++)
        if (of_x[i] != of_y[i]) return of_x[i] < of_y[i] ? -1 : 1;
    return 0;
}

/* The plan's own list, in order, without repetitions; how many are left. */
static size_t merge(struct mechanism *list, size_t n)
{
    size_t kept = 0;
    qsort(list, n, sizeof *list, compare);
    for (size_t i = 1; i < n; i++) {
        if (compare(&list[kept], &list[i]) == 0)
            list[kept].times += list[i].times;
        else
            list[++kept] = list[i];
    }
    return kept + 1;
}

/* Grids of COARSE_CELLS each are enough to choose the tilt and the window. */
enum status pld_plan_new(struct pld_plan *plan, const struct mechanism *list, size_t n,
                         enum mechanism_pair pair, double delta)
{
    AUTO(pld_plan_free) struct pld_plan p = {0};
    for (size_t i = 0; i < n; i++) {
        TRY(mechanism_check(&list[i]));
        p.times += (double)list[i].times;
    }
    if (n == 0 || p.times > PLD_TIMES_MAX) return STATUS_RANGE;
    p.list = calloc(n, sizeof *p.list);
    if (p.list == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < n; i++) p.list[i] = list[i];
    n = merge(p.list, n);
    p.walk = calloc(n, sizeof *p.walk);
    p.law = calloc(n, sizeof *p.law);
    if (p.walk == NULL || p.law == NULL) return STATUS_NOMEM;
    double least = 0.0, most = 0.0;
    for (size_t i = 0; i < n; i++) {
        struct mechanism_walk *walk = &p.walk[i];
        TRY(mechanism_walk_new(walk, &p.list[i], pair, delta * PLD_LOST / p.times));
        p.n = i + 1; /* from here on it is freed with the plan */
        least += (double)p.list[i].times * walk->least;
        most += (double)p.list[i].times * walk->most;
        p.span = fmax(p.span, fmax(walk->most, -walk->least));
        const double step = (walk->most - walk->least) / COARSE_CELLS;
        p.widest = fmax(p.widest, step);
        TRY(pld_law_new(&p.law[i], walk, step, 0.0));
    }
    p.cost = -log(delta);
    p.best = least_of(chernoff, &p, TILT_MIN, TILT_MAX);
    p.epsilon = chernoff(&p, p.best);
    /* Where the largest loss itself is likely the best is infinite; this much will do. */
    p.best = fmin(p.best, (4.0 * p.cost + 40.0) / fmax(p.epsilon, 1e-6));
    p.tilt = tilt_for(&p);
    p.low = -bottom(&p, least_of(bottom, &p, 1e-4 * p.tilt, 1e4 * p.tilt + 1e4));
    p.cost -= log(PLD_LOST);
    p.above = least_of(chernoff, &p, TILT_MIN, TILT_MAX);
    p.high = chernoff(&p, p.above);
    p.cost += log(PLD_LOST);
    p.high = fmin(p.high, most);
    /* Coarse grids blur: by about this much when they are added up. */
    p.low = fmax(fmin(p.low, p.high) - p.widest * sqrt(p.times), least);
    *plan = p;
    p = (struct pld_plan){0};
    return STATUS_OK;
}

/* Splitting widens a release's loss by a variance of up to step^2 / 4, mostly a sixth of it, which
 * raises epsilon by (best + 1) times / 12 of step^2. */
size_t pld_plan_cells(const struct pld_plan *plan, double excess)
{
    const double step = sqrt(12.0 * excess * fmax(plan->epsilon, 1e-3) /
                             ((fmin(plan->best, 1e3) + 1.0) * plan->times));
    const double want = (plan->high - plan->low) / step;
    size_t cells = CELLS_MIN;
    while (cells < PLD_CELLS_MAX && (double)cells < want &&
           2.0 * (double)cells * (double)plan->n <= CELLS_ALL)
        cells *= 2;
    return cells;
}

double pld_plan_step(const struct pld_plan *plan, size_t cells)
{
    const double room = fmin(plan->times, (double)cells / 16.0) + 8.0;
    /* A short window must not make the walk over wide losses long. */
    return fmax((plan->high - plan->low) / ((double)cells - room), plan->widest / 8192.0);
}
