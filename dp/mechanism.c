/* SPDX-License-Identifier: Apache-2.0 */
/* Losses of one release. Outputs of continuous noise are moved to equally spaced points, each
 * output to its two neighbours so that Q and P keep their mass; a whole-number law is a list as it
 * stands.
 */
#include "dp/mechanism.h"

#include <math.h>

/* What exponents may change by from a point to the next; the terms of exp that this needs. */
#define REACH 0.125
#define TERMS 10
/* Points are this much closer than the grid of losses: their spread is less by its square. */
#define FINER 3.0
/* More than REACH asks for. */
#define POINTS_MAX 4194304.0
#define HALF_LOG_TWO_PI 0.91893853320467274178

enum status mechanism_check(const struct mechanism *m)
{
    bool whole = m->kind == MECHANISM_DISCRETE_GAUSSIAN || m->kind == MECHANISM_SKELLAM;
    if (!(m->noise >= MECHANISM_NOISE_MIN && m->noise <= MECHANISM_NOISE_MAX)) return STATUS_RANGE;
    if (!(m->sampling > 0.0 && m->sampling <= 1.0) || m->times == 0) return STATUS_RANGE;
    if (m->shift == 0 || m->shares == 0) return STATUS_RANGE;
    if (!whole && (m->shift != 1 || m->shares != 1)) return STATUS_RANGE;
    if (m->replace && m->kind != MECHANISM_GAUSSIAN) return STATUS_RANGE;
    return STATUS_OK;
}

bool mechanism_symmetric(const struct mechanism *m)
{
    return m->sampling == 1.0 || m->replace;
}

double mechanism_sampled(double loss, double q)
{
    if (q == 1.0) return loss;
    return loss > 0.0 ? loss + log(q + (1.0 - q) * exp(-loss)) : log1p(q * expm1(loss));
}

double mechanism_pure(const struct mechanism *m)
{
    if (m->kind != MECHANISM_LAPLACE) return (double)INFINITY;
    double whole = 1.0 / m->noise, q = m->sampling;
    return fmax(mechanism_sampled(whole, q), -mechanism_sampled(-whole, q)) * (1.0 + 1e-12);
}

/* Distance of the two means, in units of sigma: replacing is removing and adding. */
static double gaussian_mu(const struct mechanism *m)
{
    return (m->replace ? 2.0 : 1.0) / m->noise;
}

/* The unsampled loss at output x, and back. */
static double loss_at(const struct mechanism_walk *w, double x)
{
    if (w->m->kind == MECHANISM_LAPLACE) return (2.0 * x - 1.0) / w->m->noise;
    if (w->law.log_p != NULL) {
        int64_t k = (int64_t)x;
        return lattice_log(&w->law, k - (int64_t)w->m->shift) - lattice_log(&w->law, k);
    }
    double mu = gaussian_mu(w->m);
    return mu * x - mu * mu / 2.0;
}

static double output_at(const struct mechanism_walk *w, double loss)
{
    const double mu = gaussian_mu(w->m);
    return loss / mu + mu / 2.0;
}

static double log_density(const struct mechanism_walk *w, double x)
{
    if (w->m->kind == MECHANISM_LAPLACE) return -x / w->m->noise - log(2.0 * w->m->noise);
    return -x * x / 2.0 - HALF_LOG_TWO_PI;
}

static enum status law_new(struct mechanism_walk *w, double tail)
{
    const struct mechanism *m = w->m;
    bool gaussian = m->kind == MECHANISM_DISCRETE_GAUSSIAN;
    double variance = m->noise * m->noise * (double)m->shares;
    double reach = gaussian ? lattice_gaussian_tail(m->noise, m->shares, tail)
                            : lattice_skellam_tail(variance, tail);
    w->from = -reach;
    w->to = reach + (double)m->shift;
    if (!(w->to <= (double)LATTICE_REACH_MAX)) return STATUS_RANGE;
    if (!gaussian) return lattice_skellam(&w->law, variance, (uint32_t)w->to);
    return lattice_gaussian(&w->law, m->noise, m->shares, (uint32_t)w->to);
}

enum status mechanism_walk_new(struct mechanism_walk *walk, const struct mechanism *m,
                               enum mechanism_pair pair, double tail)
{
    REQUIRE(tail > 0.0 && tail < 1.0);
    TRY(mechanism_check(m));
    struct mechanism_walk w = {.m = m, .tail = tail, .pair = pair};
    /* Chernoff: a standard normal exceeds this with at most the chance `tail`. */
    const double far = sqrt(-2.0 * log(tail));
    switch (m->kind) {
    case MECHANISM_GAUSSIAN:
        w.from = m->replace ? gaussian_mu(m) / 2.0 : -far;
        w.to = gaussian_mu(m) + far;
        break;
    case MECHANISM_LAPLACE:
        w.to = 1.0;
        w.tail = 0.0;
        break;
    default:
        TRY(law_new(&w, tail));
    }
    const double least = mechanism_sampled(loss_at(&w, w.from), m->sampling);
    const double most = mechanism_sampled(loss_at(&w, w.to), m->sampling);
    w.least = pair == MECHANISM_ADD ? least : -most;
    w.most = pair == MECHANISM_ADD ? most : -least;
    if (m->replace) {
        w.least = -most;
        w.most = most;
    }
    *walk = w;
    return STATUS_OK;
}

void mechanism_walk_free(struct mechanism_walk *walk)
{
    lattice_free(&walk->law);
}

/* What the laws are like over outputs x: d log(P / Q) / dx, and whether the density falls with
 * exp(-x^2 / 2) or with exp(-x / noise). */
static double loss_slope(const struct mechanism_walk *w)
{
    return w->m->kind == MECHANISM_LAPLACE ? 2.0 / w->m->noise : gaussian_mu(w->m);
}

/* Root of the mean square of the sampled loss' slope, under the first law weighted with
 * exp(tilt * loss): how far apart neighbours' losses are where it matters. */
static double mean_slope(const struct mechanism_walk *w, double tilt)
{
    const double q = w->m->sampling, part = (w->to - w->from) / 128.0;
    double most = -(double)INFINITY, sum = 0.0, squares = 0.0;
    for (double x = w->from + part / 2.0; x < w->to; x += part) {
        const double whole = loss_at(w, x), loss = mechanism_sampled(whole, q);
        const double power = w->pair == MECHANISM_REMOVE && !w->m->replace ? -tilt : tilt + 1.0;
        const double weight = log_density(w, x) + power * loss;
        const double slope = loss_slope(w) * exp(log(q) + whole - loss);
        const double less = weight > most ? exp(most - weight) : 1.0;
        most = fmax(most, weight);
        sum = sum * less + exp(weight - most);
        squares = squares * less + exp(weight - most) * slope * slope;
    }
    return sqrt(squares / sum);
}

/* Equally spaced points, and the mass under Q that one takes over from the outputs to its left and
 * to its right, over the density there: a polynomial in x. */
struct points {
    double first, apart;
    uint32_t n;
    double left[TERMS], right[TERMS];
};

static double polynomial(const double *term, double x)
{
    double sum = 0.0;
    for (size_t k = TERMS; k-- > 0;) sum = sum * x + term[k];
    return sum;
}

/* Of an output s from a point, the point takes the part 1 - (exp(slope s) - 1) / (exp(slope apart)
 * - 1): linear in exp(loss), so that the mass under P is kept too. Integrated by Gauss-Legendre of
 * four nodes. */
static void share_out(struct points *p, const struct mechanism_walk *w)
{
    static const double node[] = {-0.8611363115940526, -0.3399810435848563, 0.3399810435848563,
                                  0.8611363115940526};
    static const double weight[] = {0.3478548451374538, 0.6521451548625461, 0.6521451548625461,
                                    0.3478548451374538};
    const bool laplace = w->m->kind == MECHANISM_LAPLACE;
    for (int i = 0; i < 4; i++)
        for (int side = -1; side <= 1; side += 2) {
            const double s = (double)side * p->apart * (1.0 + node[i]) / 2.0;
            const double slope = loss_slope(w);
            const double part = 1.0 - expm1(slope * s) / expm1(slope * (double)side * p->apart);
            double term = weight[i] * p->apart / 2.0 * part *
                          (laplace ? exp(-s / w->m->noise) : exp(-s * s / 2.0));
            double *to = side < 0 ? p->left : p->right;
            /* density(x + s) = density(x) exp(-s^2 / 2) exp(-x s) */
            for (int k = 0; k < TERMS; k++) {
                to[k] += term;
                term *= laplace ? 0.0 : -s / (double)(k + 1);
            }
        }
}

static struct points points_of(const struct mechanism_walk *w, double step, double tilt)
{
    const bool laplace = w->m->kind == MECHANISM_LAPLACE;
    const double slope = loss_slope(w), far = fmax(-w->from, w->to);
    const double most = REACH / (slope + (laplace ? 1.0 / w->m->noise : far));
    struct points p = {.first = w->from};
    if (w->m->sampling == 1.0 && !laplace) {
        /* The points' losses are the grid's: nothing is spread twice. */
        p.first = output_at(w, floor(loss_at(w, w->from) / step) * step);
        p.apart = step / slope / ceil(step / slope / most);
        p.n = (uint32_t)ceil((w->to - p.first) / p.apart);
    } else {
        const double wish = fmin(most, step / FINER / mean_slope(w, tilt));
        p.n = (uint32_t)fmin(ceil((w->to - w->from) / wish), POINTS_MAX);
        p.apart = (w->to - w->from) / (double)p.n;
    }
    share_out(&p, w);
    return p;
}

struct sink {
    const struct mechanism_walk *walk;
    void (*take)(void *to, double loss, double chance);
    void *to;
    double handed; /* chance so far */
};

/* An output, or all that was moved to it: log Q = log_q + log(weight). */
static void emit(struct sink *sink, double weight, double log_q, double unsampled_loss)
{
    const struct mechanism_walk *w = sink->walk;
    const double loss = mechanism_sampled(unsampled_loss, w->m->sampling);
    if (w->m->replace || w->pair == MECHANISM_ADD) {
        const double with = weight * exp(log_q + loss);
        sink->take(sink->to, loss, with);
        sink->handed += with;
    }
    if (w->m->replace || w->pair == MECHANISM_REMOVE) {
        const double without = weight * exp(log_q);
        sink->take(sink->to, -loss, without);
        sink->handed += without;
    }
}

static void continuous_each(struct sink *sink, double step, double tilt)
{
    const struct mechanism_walk *w = sink->walk;
    const struct points p = points_of(w, step, tilt);
    double both[TERMS];
    for (int k = 0; k < TERMS; k++) both[k] = p.left[k] + p.right[k];
    for (uint32_t i = 0; i <= p.n; i++) {
        const double x = p.first + (double)i * p.apart;
        const double *mass = i == 0 ? p.right : i == p.n ? p.left : both;
        emit(sink, polynomial(mass, x), log_density(w, x), loss_at(w, x));
    }
}

void mechanism_walk_each(const struct mechanism_walk *walk, double step, double tilt,
                         void (*take)(void *to, double loss, double chance), void *to)
{
    struct sink sink = {walk, take, to, 0.0};
    if (walk->tail > 0.0) take(to, walk->least, walk->tail);
    if (walk->law.log_p != NULL) {
        for (double k = walk->from; k <= walk->to; k++)
            emit(&sink, 1.0, lattice_log(&walk->law, (int64_t)k), loss_at(walk, k));
        return;
    }
    continuous_each(&sink, step, tilt);
    if (walk->m->kind == MECHANISM_LAPLACE) {
        emit(&sink, 0.5, 0.0, loss_at(walk, 0.0));
        emit(&sink, 0.5, -1.0 / walk->m->noise, loss_at(walk, 1.0));
    }
    if (walk->m->replace) take(to, 0.0, fmax(0.0, 1.0 - sink.handed));
}
