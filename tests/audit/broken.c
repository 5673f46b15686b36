/* SPDX-License-Identifier: Apache-2.0 */
/* The audit of the mechanism in a build that keeps its promises, and in builds that do not: each
 * has one function of the mechanism replaced when this program is linked. Arguments: the build, how
 * the audit must end (pass, fail, inconclusive), and the arguments of `audit mechanism`. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/local.h"
#include "client/submit.h"
#include "dp/account.h"
#include "dp/clip.h"
#include "lab/audit.h"
#include "lab/verdict.h"

static const char *build = "honest";

static bool is_build(const char *name)
{
    return strcmp(build, name) == 0;
}

/* --- half of the noise -------------------------------------------------------------------------
 */

enum status __real_noise_draw(struct noise *out, size_t n, uint32_t sigma,
                              enum noise_sampler sampler, struct rng *rng);
enum status __wrap_noise_draw(struct noise *out, size_t n, uint32_t sigma,
                              enum noise_sampler sampler, struct rng *rng);

enum status __wrap_noise_draw(struct noise *out, size_t n, uint32_t sigma,
                              enum noise_sampler sampler, struct rng *rng)
{
    return __real_noise_draw(out, n, is_build("half-noise") ? sigma / 2 : sigma, sampler, rng);
}

/* --- noise that is the same in every round, or at every site; a site that adds none --------------
 */

enum status __real_submit_noise(struct noise *out, const struct session *session, struct rng *rng);
enum status __wrap_submit_noise(struct noise *out, const struct session *session, struct rng *rng);

enum status __wrap_submit_noise(struct noise *out, const struct session *session, struct rng *rng)
{
    struct rng again = {0};
    const bool alike = is_build("shared-noise");
    rng_numbered(&again, alike ? session->plan.round : session->config.self);
    TRY(__real_submit_noise(out, session, alike || is_build("same-noise") ? &again : rng));
    /* Site 0 colludes. */
    if (is_build("silent-noise") && session->config.self == 1)
        memset(out->value, 0, out->n * sizeof *out->value);
    return STATUS_OK;
}

/* --- no clip -----------------------------------------------------------------------------------
 */

enum status __real_clip_l2(struct clipped *out, const struct update *in, double bound);
enum status __wrap_clip_l2(struct clipped *out, const struct update *in, double bound);

enum status __wrap_clip_l2(struct clipped *out, const struct update *in, double bound)
{
    TRY(__real_clip_l2(out, in, bound));
    if (is_build("no-clip") || is_build("no-clip-but-norm")) out->factor = 1;
    return STATUS_OK;
}

enum status __real_grid_add(struct grid_sum *sum, const struct clipped *in, const struct grid *grid,
                            struct rng *rng);
enum status __wrap_grid_add(struct grid_sum *sum, const struct clipped *in, const struct grid *grid,
                            struct rng *rng);

static float value_at(const struct clipped *in, size_t i)
{
    for (size_t k = 0; k < in->n_outer; k++) {
        const struct outer_product *outer = &in->outer[k];
        const size_t at = i - outer->at; /* wraps before it */
        if (at < outer->rows * outer->cols)
            return outer->left[at / outer->cols] * outer->right[at % outer->cols];
    }
    return in->value[i];
}

/* What was rounded is added, whatever its norm. */
enum status __wrap_grid_add(struct grid_sum *sum, const struct clipped *in, const struct grid *grid,
                            struct rng *rng)
{
    if (!is_build("no-clip") && !is_build("unrounded-norm"))
        return __real_grid_add(sum, in, grid, rng);
    for (size_t i = 0; i < in->n; i++)
        sum->part[i] += (int32_t)rint((double)(value_at(in, i) * in->factor) * grid->scale);
    return STATUS_OK;
}

/* --- a norm bound that holds before rounding ----------------------------------------------------
 */

enum status __real_grid_plan(struct grid *out, const struct grid_goal *goal);
enum status __wrap_grid_plan(struct grid *out, const struct grid_goal *goal);

/* A grid that is as coarse as one that the ring is narrow for, and a bound that is the clip. */
enum status __wrap_grid_plan(struct grid *out, const struct grid_goal *goal)
{
    if (!is_build("unrounded-norm")) return __real_grid_plan(out, goal);
    uint32_t sigma = 0;
    struct grid grid = {.scale = 16, .bits = goal->bits};
    grid.norm2 = (uint64_t)(grid.scale * grid.scale * goal->clip * goal->clip);
    TRY(account_share(&sigma, goal->z, grid.norm2, goal->n_shares));
    TRY(grid_noise(&grid, goal->n_sites, sigma));
    *out = grid;
    return STATUS_OK;
}

/* --- records that are drawn without chance -----------------------------------------------------
 */

size_t __real_local_sample(struct local *local, double rate, struct rng *rng);
size_t __wrap_local_sample(struct local *local, double rate, struct rng *rng);

size_t __wrap_local_sample(struct local *local, double rate, struct rng *rng)
{
    if (!is_build("first-records")) return __real_local_sample(local, rate, rng);
    const size_t n = (size_t)ceil(rate * (double)local->data.n);
    for (size_t i = 0; i < n; i++) local->pick[i] = (uint32_t)i;
    return n;
}

/* --- the verdict -------------------------------------------------------------------------------
 */

static enum finding finding;

enum exit_code __real_verdict_report(const struct verdict *verdict, bool json, const char *folder);
enum exit_code __wrap_verdict_report(const struct verdict *verdict, bool json, const char *folder);

enum exit_code __wrap_verdict_report(const struct verdict *verdict, bool json, const char *folder)
{
    finding = verdict->finding;
    return __real_verdict_report(verdict, json, folder);
}

int main(int argc, char **argv)
{
    static const char *const names[FINDING_COUNT] = {
        [FINDING_PASS] = "pass", [FINDING_FAIL] = "fail", [FINDING_OPEN] = "inconclusive"};
    if (argc < 3) return EXIT_USAGE;
    build = argv[1];
    finding = FINDING_COUNT;
    const enum exit_code code = audit_mechanism(argc - 2, argv + 2);
    if (finding == FINDING_COUNT || strcmp(names[finding], argv[2]) != 0) {
        printf("build %s: the audit ended otherwise than %s\n", build, argv[2]);
        return 1;
    }
    return code == (finding == FINDING_FAIL ? EXIT_VERIFY : EXIT_OK) ? 0 : 1;
}
