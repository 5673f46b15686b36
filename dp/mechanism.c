/* SPDX-License-Identifier: Apache-2.0 */
/* Losses of one release. A continuous one is cut where its loss crosses the grid and into pieces
 * short against its noise, so that Gauss-Legendre with four nodes is exact for practical purposes;
 * a whole-number one is a list as it stands. */
#include "dp/mechanism.h"

#include <math.h>

/* Pieces of at most an eighth of sigma (or of Laplace's scale). */
#define PIECE 0.125
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

/* The loss without sampling that becomes this one. */
static double unsampled(double loss, double q)
{
    if (q == 1.0) return loss;
    return loss > 0.0 ? loss + log((1.0 - (1.0 - q) * exp(-loss)) / q) : log1p(expm1(loss) / q);
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
    if (w->m->kind == MECHANISM_LAPLACE) return (loss * w->m->noise + 1.0) / 2.0;
    double mu = gaussian_mu(w->m);
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

struct sink {
    const struct mechanism_walk *walk;
    void (*take)(void *to, double loss, double chance);
    void *to;
    double handed; /* chance so far */
};

/* An output, or `weight` of outputs around it, with log Q = log_q and this unsampled loss. */
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

/* Gauss-Legendre: two nodes are as good as four in a very short piece. */
static void integrate(struct sink *sink, double a, double b, double piece)
{
    static const double node[] = {0.5773502691896257, 0.3399810435848563, 0.8611363115940526};
    static const double weight[] = {1.0, 0.6521451548625461, 0.3478548451374538};
    const double half = (b - a) / 2.0, middle = (a + b) / 2.0;
    const bool few = b - a < piece / 32.0;
    for (int i = few ? 0 : 1; i < (few ? 1 : 3); i++)
        for (int side = -1; side <= 1; side += 2) {
            const double x = middle + side * half * node[i];
            emit(sink, half * weight[i], log_density(sink->walk, x), loss_at(sink->walk, x));
        }
}

static void continuous_each(struct sink *sink, double step)
{
    const struct mechanism_walk *w = sink->walk;
    const double q = w->m->sampling;
    const double piece = PIECE * (w->m->kind == MECHANISM_LAPLACE ? w->m->noise : 1.0);
    double edge = floor(mechanism_sampled(loss_at(w, w->from), q) / step);
    for (double x = w->from; x < w->to;) {
        const double crossing = output_at(w, unsampled((edge + 1.0) * step, q));
        const double end = fmin(fmin(w->to, x + piece), fmax(crossing, x));
        if (end > x) integrate(sink, x, end, piece);
        if (crossing <= end) edge += 1.0;
        x = end;
    }
}

void mechanism_walk_each(const struct mechanism_walk *walk, double step,
                         void (*take)(void *to, double loss, double chance), void *to)
{
    struct sink sink = {walk, take, to, 0.0};
    if (walk->tail > 0.0) take(to, walk->least, walk->tail);
    if (walk->law.log_p != NULL) {
        for (double k = walk->from; k <= walk->to; k++)
            emit(&sink, 1.0, lattice_log(&walk->law, (int64_t)k), loss_at(walk, k));
        return;
    }
    continuous_each(&sink, step);
    if (walk->m->kind == MECHANISM_LAPLACE) {
        emit(&sink, 0.5, 0.0, loss_at(walk, 0.0));
        emit(&sink, 0.5, -1.0 / walk->m->noise, loss_at(walk, 1.0));
    }
    if (walk->m->replace) take(to, 0.0, fmax(0.0, 1.0 - sink.handed));
}
