/* SPDX-License-Identifier: Apache-2.0 */
/* Composition by Fourier transform, of distributions that were tilted first: weighted with
 * exp(tilt * loss), so that the losses that matter for delta lie in the middle and rounding errors
 * are small against delta itself, however small that is. */
#include "dp/pld.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "dp/fft.h"
#include "dp/pld_plan.h"

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
    if (exponent == 1) return base;
    for (; exponent > 1; exponent /= 2) {
        if (exponent % 2 == 1) result = times(result, base);
        base = times(base, base);
    }
    return times(result, base);
}

/* What is composed so far. */
struct work {
    struct fft fft;
    struct fft_number *number; /* two releases on their way into the spectrum */
    struct bounded *product;   /* of spectra; of two conjugate places only the first is kept */
    double scale;              /* log of what the weighted chances were divided by */
    double above;              /* log of Chernoff's moment of what lies above the window */
    double origin, top;        /* the smallest and the largest loss, in steps */
};

static void work_free(struct work *work)
{
    fft_free(&work->fft);
    free(work->number);
    free(work->product);
}

static enum status work_new(struct work *work, size_t cells)
{
    AUTO(work_free) struct work made = {0};
    TRY(fft_new(&made.fft, cells));
    made.number = calloc(cells, sizeof *made.number);
    made.product = calloc(cells, sizeof *made.product);
    if (made.number == NULL || made.product == NULL) return STATUS_NOMEM;
    for (size_t k = 0; k < cells; k++) made.product[k].value.re = 1.0;
    *work = made;
    made = (struct work){0};
    return STATUS_OK;
}

/* Multiply the spectra of two real sequences a + ib, which add up to at most 1.001 each, into the
 * product: a's is (Z_k + conj Z_-k) / 2, and b's (Z_k - conj Z_-k) / 2i. */
static void multiply(struct work *work, uint32_t times_a, uint32_t times_b)
{
    fft_forward(&work->fft, work->number);
    const double error = 2.002 * fft_error(&work->fft) + 2.0 * DBL_EPSILON;
    for (size_t k = 0; k < work->fft.n; k++) {
        const size_t mirror = fft_mirror(k);
        if (mirror < k) continue;
        const struct fft_number z = work->number[k], y = work->number[mirror];
        const struct bounded a = {{(z.re + y.re) / 2.0, (z.im - y.im) / 2.0}, error};
        const struct bounded b = {{(z.im + y.im) / 2.0, (y.re - z.re) / 2.0}, error};
        struct bounded *to = &work->product[k];
        *to = times(*to, power_of(a, times_a));
        if (times_b > 0) *to = times(*to, power_of(b, times_b));
    }
}

/* Put a release beside another one in work: into its real or its imaginary parts. */
static enum status place(struct work *work, struct pld *pld, const struct pld_plan *plan, size_t i)
{
    AUTO(pld_law_free) struct pld_law law = {0};
    TRY(pld_law_new(&law, &plan->walk[i], pld->step, plan->best));
    const double repeats = (double)plan->list[i].times, scale = pld_law_moment(&law, plan->tilt);
    struct fft_number *to = work->number;
    pld_law_tilt(i % 2 == 0 ? &to->re : &to->im, work->fft.n, 2, &law, plan->tilt, scale);
    work->scale += repeats * scale;
    work->above += repeats * pld_law_moment(&law, plan->above);
    work->origin += repeats * (double)law.first;
    work->top += repeats * (double)(law.first + (int64_t)law.n - 1);
    pld->infinite += repeats * law.infinite;
    return STATUS_OK;
}

/* Back from the spectrum; each chance is raised by the bound of its error. */
static void untilt(struct pld *pld, const struct pld_plan *plan, struct work *work)
{
    const struct fft *fft = &work->fft;
    struct fft_number *number = work->number;
    double error = 0.0, size = 0.0;
    for (size_t k = 0; k < fft->n; k++) {
        const size_t mirror = fft_mirror(k);
        const struct bounded *from = &work->product[mirror < k ? mirror : k];
        number[k] = from->value;
        if (mirror < k) number[k].im = -number[k].im;
        error += from->error;
        size += fabs(number[k].re) + fabs(number[k].im);
    }
    fft_backward(fft, number);
    const double count = (double)fft->n;
    const double raise = (error + size * fft_error(fft)) / count;
    /* Every release's weighted chances are right to a relative 1e-13 and the rounding of their
     * exponents. */
    const double lift = 1.0 + plan->times * (1e-13 + 4.0 * DBL_EPSILON * plan->tilt * plan->span);
    for (size_t i = 0; i < fft->n; i++) {
        const int64_t loss = pld->first + (int64_t)i;
        const size_t at = (size_t)(loss - (int64_t)work->origin) & (fft->n - 1);
        const double tilted = (fmax(number[at].re / count, 0.0) + raise) * lift;
        const double weight = exp(work->scale - plan->tilt * (double)loss * pld->step);
        pld->chance[i] = fmin(1.0, tilted * weight);
    }
}

enum status pld_compose(struct pld *pld, const struct mechanism *list, size_t n,
                        enum mechanism_pair pair, double delta, double excess)
{
    REQUIRE(delta > 0.0 && delta < 1.0);
    AUTO(pld_plan_free) struct pld_plan plan = {0};
    TRY(pld_plan_new(&plan, list, n, pair, delta));
    const size_t cells = pld_plan_cells(&plan, excess);
    AUTO(work_free) struct work work = {0};
    TRY(work_new(&work, cells));
    AUTO(pld_free) struct pld made = {.n = cells, .step = pld_plan_step(&plan, cells)};
    made.chance = calloc(cells, sizeof *made.chance);
    if (made.chance == NULL) return STATUS_NOMEM;
    made.first = (int64_t)floor(plan.low / made.step) - 2;
    for (size_t i = 0; i < plan.n; i += 2) {
        const bool two = i + 1 < plan.n;
        for (size_t k = 0; k < cells; k++) work.number[k] = (struct fft_number){0};
        TRY(place(&work, &made, &plan, i));
        if (two) TRY(place(&work, &made, &plan, i + 1));
        multiply(&work, plan.list[i].times, two ? plan.list[i + 1].times : 0);
    }
    untilt(&made, &plan, &work);
    /* What lies above the window came out below it: count it as infinite, by Chernoff. What lies
     * below came out above, which only adds. */
    const double end = (double)made.first + (double)cells;
    if (work.top >= end) made.infinite += exp(work.above - plan.above * end * made.step);
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
