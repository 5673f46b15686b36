/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/check.h"

#include <math.h>
#include <stdio.h>

#include "aggregator/cost.h"
#include "aggregator/spend.h"

struct checked {
    struct study study;
    struct layout layout;
    struct schedule schedule;
    struct bits keep, cohort;
};

static void checked_free(struct checked *c)
{
    bits_free(&c->keep);
    bits_free(&c->cohort);
}

static const char *const step_names[STEP_COUNT] = {"exploring", "training", "evaluating", "voting"};

static enum status print_step(const struct checked *c, enum step step)
{
    AUTO(plan_free) struct plan plan = {0};
    TRY(schedule_plan(&plan, &c->schedule, step, 0, &c->keep, 0, &c->cohort));
    uint64_t dim = 0;
    for (uint32_t l = 0; l < plan.n_segments; l++) dim += plan.segment[l].dim;
    const double norm = sqrt((double)plan.grid.norm2);
    const double shares = schedule_certain(&plan);
    printf("ok  %-10s %llu coordinates in %u segments, grid %g per unit, contribution norm %.0f "
           "grid units\n               noise share %u a site, multiplier %.4f from %u certain "
           "shares; sums stay in %u bits\n",
           step_names[step], (unsigned long long)dim, plan.n_segments, plan.grid.scale, norm,
           plan.grid.sigma,
           account_multiplier_rounded((double)plan.grid.sigma * sqrt(shares) / norm),
           schedule_certain(&plan), plan.grid.bits);
    if (plan.clip_bit > 0)
        printf(
            "               the clip adapts: of the norm its count has %u grid units, its noise is "
            "%.2f contributions\n",
            plan.clip_bit, (double)plan.grid.sigma * sqrt(shares) / (2.0 * plan.clip_bit));
    const double clip = schedule_step_clip(&c->schedule, step, 0);
    const struct grid vector = schedule_grid(&plan);
    /* Raised by more than the digits that are left out. */
    printf(
        "               rounding costs %.2f %% more noise; a sum wraps with a chance below %.1e\n",
        100 * (grid_cost(&vector, clip) - 1) + 0.005,
        1.06 * grid_wrap(&plan.grid, dim, (uint32_t)bits_count(&plan.cohort)));
    return STATUS_OK;
}

static enum status print_costs(const struct checked *c)
{
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++) {
        double epsilon = 0;
        char name[64];
        adversary_name(name, sizeof name, who, c->study.sites.colluding);
        TRY(spend_worst(&epsilon, &c->schedule, who, &c->keep));
        printf("ok  privacy    at most epsilon %.4f at delta %g against: %s\n",
               account_rounded(epsilon), c->study.privacy.delta, name);
    }
    printf(
        "               unit %s, adding or removing one, %u rounds, %u evaluations, %u votes, "
        "fewest "
        "survivors in each, no round failing\n               (rounds that fail are paid too, until "
        "the sites' gates refuse)\n",
        study_unit_name(c->study.privacy.unit), c->study.rounds.count,
        schedule_steps(&c->study, STEP_EVALUATE), schedule_steps(&c->study, STEP_VOTE));
    return STATUS_OK;
}

/* What a site computes and sends, and what the shares of the pruning leave of it. */
static enum status print_work(const struct checked *c)
{
    struct cost whole = {0}, pruned = {0};
    bool exact = false;
    TRY(cost_of(&whole, &c->schedule, &c->keep, 0));
    TRY(cost_planned(&pruned, &exact, &c->schedule));
    printf("ok  work       %llu multiply-accumulates a record, forward; a site sends %llu bytes a "
           "training round\n",
           (unsigned long long)whole.macs, (unsigned long long)whole.bytes);
    if (c->study.pruning.mode == STUDY_PRUNING_NONE) return STATUS_OK;
    printf("               pruned, %s %llu (%.1f %%) and %llu (%.1f %%)\n",
           exact ? "exactly" : "at most", (unsigned long long)pruned.macs,
           cost_percent(pruned.macs, whole.macs), (unsigned long long)pruned.bytes,
           cost_percent(pruned.bytes, whole.bytes));
    return STATUS_OK;
}

static void print_sites(const struct study *study, const struct params *p)
{
    /* A block opens with as few as it may. */
    const bool whole = study->allocation.mode == STUDY_ALLOCATION_NONE;
    printf("ok  sites      %u, of them %u may collude; T = %u: %u may drop out at any stage,\n"
           "               every sum has at least %u honest contributors\n",
           p->n, p->c, p->quorum, p->n - p->quorum, whole ? params_honest(p) : p->m);
    const uint32_t pads = params_segment_degree(p, p->n);
    if (p->k == 0)
        printf("ok  graph      complete: all hold shares of all, t = %u rebuild a secret\n", p->t);
    else
        printf(
            "ok  graph      ring: k = %u neighbours hold a site's shares, t = %u rebuild a secret; "
            "pads with %u\n",
            p->k, p->t, pads > 0 ? pads : p->n - 1);
}

static enum status print_steps(const struct checked *c, struct settings_error *why)
{
    enum status status = STATUS_OK;
    for (enum step step = STEP_EXPLORE; step < STEP_COUNT && status == STATUS_OK; step++)
        if (schedule_steps(&c->study, step) > 0) status = print_step(c, step);
    if (status != STATUS_RANGE) return status;
    return settings_refuse(why, "secagg", "bits",
                           "bits: %u are too few: rounding would cost more than half of the noise "
                           "again; take more bits, fewer coordinates (a smaller model), a larger "
                           "epsilon, or privacy.rounding: stochastic with privacy.rotation: "
                           "hadamard",
                           c->study.secagg.bits);
}

static enum status check(struct checked *c, struct settings_error *why)
{
    const struct study *study = &c->study;
    const uint32_t n = study->sites.expected;
    TRY(layout_of(&c->layout, &study->model.spec));
    TRY(bits_new(&c->keep, c->layout.n));
    TRY(bits_new(&c->cohort, n));
    bits_fill(&c->keep);
    bits_fill(&c->cohort);
    TRY(schedule_of(&c->schedule, study, &c->layout, n, why));
    print_sites(&c->study, &c->schedule.params);
    TRY(print_steps(c, why));
    TRY(print_work(c));
    return print_costs(c);
}

enum exit_code check_command(int argc, char **argv)
{
    if (argc != 2 || argv[1][0] == '-') {
        fprintf(argc == 2 ? stdout : stderr,
                "Usage: %s STUDY\nRead a study file and print what follows from it; the training "
                "is shown before pruning.\nExample: %s study.yaml\n",
                argv[0], argv[0]);
        return argc == 2 ? EXIT_OK : EXIT_USAGE;
    }
    AUTO(checked_free) struct checked checked = {0};
    struct settings_error why = {0};
    if (study_read(&checked.study, argv[1], &why) != STATUS_OK) {
        fprintf(stderr, "E-STUDY  %s:%u: %s\n", argv[1], why.line, why.text);
        return EXIT_REFUSED;
    }
    enum status status = check(&checked, &why);
    if (status == STATUS_OK) return EXIT_OK;
    fprintf(stderr, "E-STUDY  %s: it cannot be planned: %s (%s)\n", argv[1], why.text,
            status_text(status));
    return EXIT_REFUSED;
}
