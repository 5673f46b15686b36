/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: Renyi curves add up, and become epsilon when asked for. */
#include "dp/account.h"

#include <math.h>

#include "dp/noise.h"

#define MULTIPLIER_MIN 1e-6
#define MULTIPLIER_MAX 1e6

enum status account_add(struct account *account, const struct release *release, uint32_t times)
{
    if (release->norm2 == 0 || release->n_shares == 0 || release->dim == 0) return STATUS_RANGE;
    if (!(release->sampling > 0.0 && release->sampling <= 1.0)) return STATUS_RANGE;
    uint32_t sigma = release->sigma;
    if (sigma > 0 && (sigma < NOISE_SIGMA_MIN || sigma > NOISE_SIGMA_MAX)) return STATUS_RANGE;
    if (times == 0) return STATUS_OK;
    /* Shares may be sums themselves, of parts with a smaller sigma (dp/xnoise.h). */
    const uint32_t most = RDP_ADDENDS_MAX;
    const uint32_t addends = release->n_shares > most ? release->n_shares : most;
    double s = (double)sigma;
    double z2 = s * s * (double)release->n_shares / (double)release->norm2;
    for (size_t i = 0; i < RDP_ORDERS; i++) {
        uint32_t order = RDP_ORDER[i];
        double rdp = (double)INFINITY;
        if (sigma > 0)
            rdp = rdp_sampled_gaussian(order, z2, release->sampling) +
                  rdp_sum_gap(order, NOISE_SIGMA_MIN, addends, release->dim);
        account->rdp[i] += (double)times * rdp;
    }
    return STATUS_OK;
}

/* Proposition 12; and epsilon 0 when even the total variation distance, at most
 * sqrt(1 - exp(-rdp)) by Bretagnolle and Huber, is no more than delta. */
static double epsilon_at(double order, double rdp, double delta)
{
    if (-expm1(-rdp) <= delta * delta) return 0.0;
    double gain = log1p(-1.0 / order) - log(order) / (order - 1.0);
    double price = -log(delta) / (order - 1.0);
    double epsilon = rdp + price + gain + 1e-9 * (rdp + price - gain);
    return epsilon < 0.0 ? 0.0 : epsilon;
}

double account_epsilon(const struct account *account, double delta)
{
    REQUIRE(delta > 0.0 && delta < 1.0);
    double epsilon = (double)INFINITY;
    for (size_t i = 0; i < RDP_ORDERS; i++)
        epsilon = fmin(epsilon, epsilon_at((double)RDP_ORDER[i], account->rdp[i], delta));
    return epsilon;
}

double account_epsilon_at(const struct account *account, uint32_t order, double delta)
{
    REQUIRE(order < RDP_ORDERS && delta > 0.0 && delta < 1.0);
    return epsilon_at((double)RDP_ORDER[order], account->rdp[order], delta);
}

double account_rounded(double epsilon)
{
    return ceil(epsilon * 1e4) / 1e4;
}

double account_multiplier_rounded(double z)
{
    return floor(z * 1e4) / 1e4;
}

/* What the goal's releases cost at multiplier z, at one order. */
static double goal_rdp(const struct account_goal *goal, uint32_t order, double z)
{
    const double explored = z * goal->exploration_ratio, evaluated = z * goal->evaluation_ratio,
                 voted = z * goal->vote_ratio;
    double rdp = (double)goal->rounds * rdp_sampled_gaussian(order, z * z, goal->sampling);
    if (goal->exploration_ratio > 0.0)
        rdp += rdp_sampled_gaussian(order, explored * explored, goal->sampling);
    if (goal->evaluations > 0)
        rdp += (double)goal->evaluations * rdp_sampled_gaussian(order, evaluated * evaluated, 1);
    if (goal->votes > 0)
        rdp += (double)goal->votes * rdp_sampled_gaussian(order, voted * voted, goal->sampling);
    return rdp;
}

/* Orders, by their places in RDP_ORDER, and the epsilon that each has. */
struct orders {
    size_t n;
    uint32_t place[RDP_ORDERS];
    double epsilon[RDP_ORDERS];
};

/* Those of some orders that reach the goal at multiplier z. Less noise costs more at every order,
 * so that an order which does not reach it here does at no smaller z either. */
static struct orders orders_reaching(const struct orders *among, const struct account_goal *goal,
                                     double z)
{
    struct orders out = {0};
    for (size_t i = 0; i < among->n; i++) {
        const uint32_t order = RDP_ORDER[among->place[i]];
        const double epsilon = epsilon_at((double)order, goal_rdp(goal, order, z), goal->delta);
        if (!(epsilon <= goal->epsilon)) continue;
        out.place[out.n] = among->place[i];
        out.epsilon[out.n++] = epsilon;
    }
    return out;
}

static uint32_t best_order(const struct orders *orders)
{
    size_t best = 0;
    for (size_t i = 1; i < orders->n; i++)
        if (orders->epsilon[i] < orders->epsilon[best]) best = i;
    return orders->place[best];
}

enum status account_calibrate(double *z, uint32_t *order, const struct account_goal *goal)
{
    if (!(goal->epsilon > 0.0 && goal->delta > 0.0 && goal->delta < 1.0)) return STATUS_RANGE;
    if (!(goal->sampling > 0.0 && goal->sampling <= 1.0) || goal->rounds == 0) return STATUS_RANGE;
    if (!(goal->exploration_ratio >= 0.0 && goal->exploration_ratio <= MULTIPLIER_MAX))
        return STATUS_RANGE;
    if (goal->evaluations > 0 &&
        !(goal->evaluation_ratio > 0.0 && goal->evaluation_ratio <= MULTIPLIER_MAX))
        return STATUS_RANGE;
    if (goal->votes > 0 && !(goal->vote_ratio > 0.0 && goal->vote_ratio <= MULTIPLIER_MAX))
        return STATUS_RANGE;
    if (isinf(goal->epsilon)) {
        *z = 0.0;
        if (order != NULL) *order = 0;
        return STATUS_OK;
    }
    double low = MULTIPLIER_MIN, high = MULTIPLIER_MAX;
    struct orders reach = {.n = RDP_ORDERS};
    for (uint32_t i = 0; i < RDP_ORDERS; i++) reach.place[i] = i;
    reach = orders_reaching(&reach, goal, high);
    if (reach.n == 0) return STATUS_RANGE;
    while (high > low * (1.0 + 1e-7)) {
        const double middle = sqrt(low * high);
        const struct orders fewer = orders_reaching(&reach, goal, middle);
        if (fewer.n == 0) {
            low = middle;
        } else {
            high = middle;
            reach = fewer;
        }
    }
    *z = high;
    if (order != NULL) *order = best_order(&reach);
    return STATUS_OK;
}

enum status account_share(uint32_t *sigma, double z, uint64_t norm2, uint32_t n_shares)
{
    if (!(z >= 0.0) || norm2 == 0 || n_shares == 0) return STATUS_RANGE;
    /* Raised by 1e-9, so that the account of this share never comes out above the calibration. */
    double share = ceil(z * sqrt((double)norm2 / (double)n_shares) * (1.0 + 1e-9));
    if (!(share <= (double)NOISE_SIGMA_MAX)) return STATUS_RANGE;
    if (z > 0.0 && share < (double)NOISE_SIGMA_MIN) share = (double)NOISE_SIGMA_MIN;
    *sigma = (uint32_t)share;
    return STATUS_OK;
}
