/* SPDX-License-Identifier: Apache-2.0 */
/* Composition by Fourier transform, of distributions that were tilted first: weighted with
 * exp(tilt * loss), so that the losses that matter for delta lie in the middle and rounding errors
 * are small against delta itself, however small that is. */
#include "dp/pld.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dp/fft.h"

#define COARSE_CELLS 256
#define CELLS_MIN (UINT32_C(1) << 12)
#define CELLS_MAX (UINT32_C(1) << 20)
/* Of all transforms together: what a long list may cost. */
#define CELLS_ALL 20e6
/* Chance, relative to delta, that may be cut off. */
#define LOST 1e-10
/* Tilted chance below the window. */
#define OUTSIDE 1e-12
#define SLACK 100.0
#define TILT_MIN 1e-4
#define TILT_MAX 1e7

/* One release on a grid: chance[i] of the loss (first + i) * step. */
struct grid_law {
    size_t n;
    double *chance;
    int64_t first;
    double step;
    double fall; /* exp(-step) - 1 */
    double infinite;
};

static void grid_law_free(struct grid_law *law)
{
    free(law->chance);
    *law = (struct grid_law){0};
}

/* Split between the neighbours on the grid with the sum of chance and of chance * exp(-loss)
 * kept: the pair's likelihood ratio spreads about its mean, which no divergence likes. */
static void split(void *to, double loss, double chance)
{
    struct grid_law *law = to;
    double at = loss / law->step - (double)law->first, below = floor(at);
    REQUIRE(below >= 0.0 && below < (double)(law->n - 1));
    double up = expm1((below - at) * law->step) / law->fall;
    law->chance[(size_t)below] += chance * (1.0 - up);
    law->chance[(size_t)below + 1] += chance * up;
}

static enum status grid_law_new(struct grid_law *law, const struct mechanism_walk *walk,
                                double step)
{
    double low = floor(walk->least / step) - 1.0, high = ceil(walk->most / step) + 2.0;
    if (!(high - low < 8.0 * CELLS_MAX)) return STATUS_RANGE;
    AUTO(grid_law_free)
    struct grid_law made = {.n = (size_t)(high - low),
                            .first = (int64_t)low,
                            .step = step,
                            .fall = expm1(-step),
                            .infinite = walk->tail};
    made.chance = calloc(made.n, sizeof *made.chance);
    if (made.chance == NULL) return STATUS_NOMEM;
    mechanism_walk_each(walk, step, split, &made);
    /* log_moment wants something at both ends. */
    size_t empty = 0;
    while (made.chance[made.n - 1] == 0.0) made.n--;
    while (made.chance[empty] == 0.0) empty++;
    made.n -= empty;
    made.first += (int64_t)empty;
    memmove(made.chance, made.chance + empty, made.n * sizeof *made.chance);
    *law = made;
    made = (struct grid_law){0};
    return STATUS_OK;
}

/* log E exp(power * loss) of the finite losses: Horner's rule, from the end that weighs more, so
 * that nothing overflows and the first term does not vanish. */
static double log_moment(const struct grid_law *law, double power)
{
    const double factor = exp(-fabs(power) * law->step);
    double sum = 0.0;
    for (size_t i = 0; i < law->n; i++)
        sum = sum * factor + law->chance[power > 0.0 ? i : law->n - 1 - i];
    const int64_t end = law->first + (power > 0.0 ? (int64_t)law->n - 1 : 0);
    return power * (double)end * law->step + log(sum);
}

/* The list, each release with its walk and its present grid. */
struct plan {
    size_t n;
    const struct mechanism *list;
    struct mechanism_walk *walk;
    struct grid_law *law;
    double times, cost; /* releases in all; log(1 / delta) */
    double tilt, above; /* exponents: of the weights, and of Chernoff's bound of what lies above */
    double best, epsilon; /* Chernoff's best exponent, and the epsilon that it gives */
    double low, high;     /* the window of composed losses */
    double widest;        /* range of the losses of one release, over COARSE_CELLS */
};

static void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        if (plan->walk != NULL) mechanism_walk_free(&plan->walk[i]);
        if (plan->law != NULL) grid_law_free(&plan->law[i]);
    }
    free(plan->walk);
    free(plan->law);
}

static double total_log_moment(const struct plan *plan, double power)
{
    double sum = 0.0;
    for (size_t i = 0; i < plan->n; i++)
        sum += (double)plan->list[i].times * log_moment(&plan->law[i], power);
    return sum;
}

/* Where f(exp(t)), which falls and then rises, is least. */
static double least_of(double (*f)(const struct plan *plan, double x), const struct plan *plan,
                       double low, double high)
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
static double chernoff(const struct plan *plan, double x)
{
    return (total_log_moment(plan, x) + plan->cost) / x;
}

/* Minus the loss below which the tilted chance is OUTSIDE at most. */
static double bottom(const struct plan *plan, double x)
{
    const double base = total_log_moment(plan, plan->tilt);
    return (total_log_moment(plan, plan->tilt - x) - base - log(OUTSIDE)) / x;
}

/* The smallest tilt at which Chernoff's bound of delta is worse than the best by SLACK at most:
 * more would only make the tails heavier. */
static double tilt_for(const struct plan *plan)
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

/* Grids of COARSE_CELLS each are enough to choose the tilt and the window. */
static enum status plan_new(struct plan *plan, const struct mechanism *list, size_t n,
                            enum mechanism_pair pair, double delta)
{
    AUTO(plan_free) struct plan p = {.list = list};
    for (size_t i = 0; i < n; i++) {
        TRY(mechanism_check(&list[i]));
        p.times += (double)list[i].times;
    }
    if (n == 0 || p.times > PLD_TIMES_MAX) return STATUS_RANGE;
    p.walk = calloc(n, sizeof *p.walk);
    p.law = calloc(n, sizeof *p.law);
    if (p.walk == NULL || p.law == NULL) return STATUS_NOMEM;
    double least = 0.0, most = 0.0;
    for (size_t i = 0; i < n; i++) {
        struct mechanism_walk *walk = &p.walk[i];
        TRY(mechanism_walk_new(walk, &list[i], pair, delta * LOST / p.times));
        p.n = i + 1; /* from here on it is freed with the plan */
        least += (double)list[i].times * walk->least;
        most += (double)list[i].times * walk->most;
        const double step = (walk->most - walk->least) / COARSE_CELLS;
        p.widest = fmax(p.widest, step);
        TRY(grid_law_new(&p.law[i], walk, step));
    }
    p.cost = -log(delta);
    p.best = least_of(chernoff, &p, TILT_MIN, TILT_MAX);
    p.epsilon = chernoff(&p, p.best);
    /* Where the largest loss itself is likely the best is infinite; this much will do. */
    p.best = fmin(p.best, (4.0 * p.cost + 40.0) / fmax(p.epsilon, 1e-6));
    p.tilt = tilt_for(&p);
    p.low = -bottom(&p, least_of(bottom, &p, 1e-4 * p.tilt, 1e4 * p.tilt + 1e4));
    p.cost -= log(LOST);
    p.above = least_of(chernoff, &p, TILT_MIN, TILT_MAX);
    p.high = chernoff(&p, p.above);
    p.cost += log(LOST);
    p.high = fmin(p.high, most);
    /* Coarse grids blur: by about this much when they are added up. */
    p.low = fmax(fmin(p.low, p.high) - p.widest * sqrt(p.times), least);
    *plan = p;
    p = (struct plan){0};
    return STATUS_OK;
}

/* A spectrum with a bound of its error, number by number. */
struct bounded {
    struct fft_number value;
    double error;
};

static double size_of(struct fft_number z)
{
    return sqrt(z.re * z.re + z.im * z.im);
}

static struct bounded times(struct bounded a, struct bounded b)
{
    const double size_a = size_of(a.value), size_b = size_of(b.value);
    return (struct bounded){{a.value.re * b.value.re - a.value.im * b.value.im,
                             a.value.re * b.value.im + a.value.im * b.value.re},
                            a.error * (size_b + b.error) + size_a * b.error +
                                2.0 * DBL_EPSILON * size_a * size_b};
}

static struct bounded power_of(struct bounded base, uint32_t exponent)
{
    struct bounded result = {{1.0, 0.0}, 0.0};
    for (; exponent > 1; exponent /= 2) {
        if (exponent % 2 == 1) result = times(result, base);
        base = times(base, base);
    }
    return times(result, base);
}

/* The spectrum of one release, tilted and scaled to 1, raised to its times. */
static void multiply(struct bounded *product, const struct fft *fft, struct fft_number *work,
                     const struct grid_law *law, double tilt, uint32_t repeats)
{
    const double scale = log_moment(law, tilt);
    for (size_t k = 0; k < fft->n; k++) work[k] = (struct fft_number){0};
    for (size_t i = 0; i < law->n; i++) {
        const double loss = (double)(law->first + (int64_t)i) * law->step;
        work[i % fft->n].re += law->chance[i] * exp(tilt * loss - scale);
    }
    fft_forward(fft, work);
    const double error = fft_error(fft);
    for (size_t k = 0; k < fft->n; k++)
        product[k] = times(product[k], power_of((struct bounded){work[k], error}, repeats));
}

static void bounded_free(struct bounded **p)
{
    free(*p);
}

static void numbers_free(struct fft_number **p)
{
    free(*p);
}

/* Back from the spectrum; each chance is raised by the bound of its error. */
static void untilt(struct pld *pld, const struct plan *plan, const struct fft *fft,
                   struct fft_number *work, const struct bounded *product, int64_t origin)
{
    double error = 0.0, size = 0.0;
    for (size_t k = 0; k < fft->n; k++) {
        work[k] = product[k].value;
        error += product[k].error;
        size += fabs(work[k].re) + fabs(work[k].im);
    }
    fft_backward(fft, work);
    const double count = (double)fft->n, scale = total_log_moment(plan, plan->tilt);
    const double raise = (error + size * fft_error(fft)) / count;
    for (size_t i = 0; i < fft->n; i++) {
        const int64_t loss = pld->first + (int64_t)i;
        const size_t at = (size_t)(loss - origin) & (fft->n - 1);
        const double tilted = fmax(work[at].re / count, 0.0) + raise;
        pld->chance[i] = fmin(1.0, tilted * exp(scale - plan->tilt * (double)loss * pld->step));
    }
}

/* Splitting widens a release's loss by a variance of up to step^2 / 4, mostly a sixth of it, which
 * raises epsilon by (best + 1) times / 12 of step^2. */
static size_t cells_for(const struct plan *plan, double excess)
{
    const double step = sqrt(12.0 * excess * fmax(plan->epsilon, 1e-3) /
                             ((fmin(plan->best, 1e3) + 1.0) * plan->times));
    const double want = (plan->high - plan->low) / step;
    size_t cells = CELLS_MIN;
    while (cells < CELLS_MAX && (double)cells < want &&
           2.0 * (double)cells * (double)plan->n <= CELLS_ALL)
        cells *= 2;
    return cells;
}

enum status pld_compose(struct pld *pld, const struct mechanism *list, size_t n,
                        enum mechanism_pair pair, double delta, double excess)
{
    REQUIRE(delta > 0.0 && delta < 1.0);
    AUTO(plan_free) struct plan plan = {0};
    TRY(plan_new(&plan, list, n, pair, delta));
    const size_t cells = cells_for(&plan, excess);
    AUTO(fft_free) struct fft fft = {0};
    TRY(fft_new(&fft, cells));
    AUTO(numbers_free) struct fft_number *work = calloc(cells, sizeof *work);
    AUTO(bounded_free) struct bounded *product = calloc(cells, sizeof *product);
    AUTO(pld_free) struct pld made = {.n = cells};
    made.chance = calloc(cells, sizeof *made.chance);
    if (work == NULL || product == NULL || made.chance == NULL) return STATUS_NOMEM;
    for (size_t k = 0; k < cells; k++) product[k].value.re = 1.0;

    made.step =
        (plan.high - plan.low) / ((double)cells - fmin(plan.times, (double)cells / 16.0) - 8.0);
    /* A short window must not make the walk over wide losses long. */
    made.step = fmax(made.step, plan.widest / 8192.0);
    made.first = (int64_t)floor(plan.low / made.step) - 2;
    double origin = 0.0, top = 0.0;
    for (size_t i = 0; i < n; i++) {
        struct grid_law *law = &plan.law[i];
        grid_law_free(law);
        TRY(grid_law_new(law, &plan.walk[i], made.step));
        multiply(product, &fft, work, law, plan.tilt, list[i].times);
        made.infinite += (double)list[i].times * law->infinite;
        origin += (double)list[i].times * (double)law->first;
        top += (double)list[i].times * (double)(law->first + (int64_t)law->n - 1);
    }
    untilt(&made, &plan, &fft, work, product, (int64_t)origin);
    /* What lies above the window came out below it: count it as infinite, by Chernoff. What lies
     * below came out above, which only adds. */
    if (top >= (double)made.first + (double)cells) {
        const double end = ((double)made.first + (double)cells) * made.step;
        made.infinite += exp(total_log_moment(&plan, plan.above) - plan.above * end);
    }
    *pld = made;
    made = (struct pld){0};
    return STATUS_OK;
}

void pld_free(struct pld *pld)
{
    free(pld->chance);
    *pld = (struct pld){0};
}

/* Covers the quadrature of mechanism_walk_each and all sums here. */
#define INFLATE (1.0 + 1e-9)

/* delta at the loss i is the sum over j > i of chance_j (1 - exp(loss_i - loss_j)). From above:
 * excess_i = exp(-step) excess_(i+1) + (1 - exp(-step)) * (all chance above i). */
double pld_epsilon_of(const struct pld *pld, double delta)
{
    REQUIRE(delta >= 0.0 && delta < 1.0);
    if (!(pld->infinite * INFLATE <= delta)) return (double)INFINITY;
    const double room = delta / INFLATE - pld->infinite;
    const double keep = exp(-pld->step), fall = -expm1(-pld->step);
    double above = 0.0, excess = 0.0;
    for (size_t i = pld->n; i-- > 0;) {
        const double next = keep * excess + fall * above;
        const double loss = (double)(pld->first + (int64_t)i + 1) * pld->step;
        if (next > room) {
            /* between the grid's points delta is linear in exp(epsilon) */
            const double ratio = (above - room) / (above - excess);
            return fmax(0.0, loss + log(ratio)) * (1.0 + 1e-13);
        }
        if (loss <= 0.0) return 0.0;
        excess = next;
        above += pld->chance[i];
    }
    return fmax(0.0, (double)pld->first * pld->step);
}

double pld_delta_of(const struct pld *pld, double epsilon)
{
    double delta = pld->infinite;
    for (size_t i = 0; i < pld->n; i++) {
        const double loss = (double)(pld->first + (int64_t)i) * pld->step;
        if (loss > epsilon) delta -= pld->chance[i] * expm1(epsilon - loss);
    }
    return fmin(1.0, delta * INFLATE);
}

enum status pld_epsilon(double *epsilon, const struct mechanism *list, size_t n, double delta,
                        double excess)
{
    REQUIRE(delta >= 0.0 && delta < 1.0);
    double pure = 0.0, worst = 0.0;
    bool symmetric = true;
    for (size_t i = 0; i < n; i++) {
        TRY(mechanism_check(&list[i]));
        pure += (double)list[i].times * mechanism_pure(&list[i]);
        symmetric = symmetric && mechanism_symmetric(&list[i]);
    }
    for (int pair = MECHANISM_ADD; delta > 0.0 && pair <= (symmetric ? 0 : MECHANISM_REMOVE);
         pair++) {
        AUTO(pld_free) struct pld pld = {0};
        TRY(pld_compose(&pld, list, n, (enum mechanism_pair)pair, delta, excess));
        worst = fmax(worst, pld_epsilon_of(&pld, delta));
    }
    *epsilon = delta > 0.0 ? fmin(worst, pure) : pure;
    return STATUS_OK;
}
