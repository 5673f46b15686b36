/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of a sweep: accuracy against epsilon, learning, budgets, bytes, dropouts, attacks. */
#include <math.h>
#include <stdio.h>

#include "dp/account.h"
#include "lab/plot.h"
#include "lab/report.h"

#define MEAN_OF_SEEDS "Mean over seeds, with its 95 % interval."

typedef double run_measure(const struct run *run);

static double accuracy_of(const struct run *run)
{
    return run->accuracy;
}

static double auc_of(const struct run *run)
{
    return run->auc;
}

static double opened_of(const struct run *run)
{
    return run->rounds == 0 ? (double)NAN : (double)run->opened / run->rounds;
}

static uint32_t group_of(struct trend *trend, const struct runs *runs, const struct run *run,
                         const char *but)
{
    char label[RUNS_LABEL_MAX];
    runs_label(label, runs, run, but);
    return trend_group(trend, label);
}

/* Yardsticks release nothing that is accounted: a level, not a place on the axis. */
static void plot_yardsticks(struct plot *plot, const struct runs *runs, run_measure *y)
{
    AUTO(trend_free) struct trend levels = {0};
    for (size_t i = 0; i < runs->n; i++) {
        const struct run *run = &runs->run[i];
        if (run->state == RUN_DONE && run->frame[0] == 0)
            trend_add(&levels, group_of(&levels, runs, run, "epsilon"), 0, 0, y(run));
    }
    plot_trend(plot, &levels, PLOT_LEVEL, false);
}

static void draw_epsilon(struct page *page, const struct runs *runs, size_t number,
                         const char *title, const char *file, run_measure *y)
{
    const char *frame = report_frame(runs, number);
    char name[PAGE_NAME_MAX / 2], how[REPORT_HOW_MAX];
    (void)snprintf(name, sizeof name, "%s-%zu", file, number + 1);
    AUTO(plot_free)
    struct plot plot = {.name = name,
                        .title = title,
                        .x = {.name = "\xCE\xB5", .log = true},
                        .y = {.name = title, .share = true},
                        .beyond = "\xCE\xB5 = \xE2\x88\x9E"};
    AUTO(trend_free) struct trend trend = {0};
    for (size_t i = 0; i < runs->n && frame != NULL; i++) {
        const struct run *run = &runs->run[i];
        if (run->state == RUN_DONE && run->kind == number + 1)
            trend_add(&trend, group_of(&trend, runs, run, "epsilon"), run->target, run->target,
                      y(run));
    }
    trend_sort(&trend);
    plot_trend(&plot, &trend, PLOT_CURVE, false);
    if (frame != NULL) plot_yardsticks(&plot, runs, y);
    plot_write(&plot, page, report_how(how, MEAN_OF_SEEDS, frame),
               "no finished run has it. The grid of the sweep file lists epsilons, and .inf for "
               "no noise; an AUC is there for two classes.");
}

void report_epsilon(struct page *page, const struct runs *runs)
{
    for (size_t i = 0; i == 0 || (i < REPORT_KINDS_DRAWN && i < runs->n_kinds); i++) {
        draw_epsilon(page, runs, i, "Accuracy", "accuracy", accuracy_of);
        draw_epsilon(page, runs, i, "AUC", "auc", auc_of);
    }
}

static void draw_learning(struct page *page, const struct runs *runs)
{
    char how[REPORT_HOW_MAX];
    AUTO(plot_free)
    struct plot plot = {.name = "learning",
                        .title = "Accuracy after each round",
                        .x = {.name = "round"},
                        .y = {.name = "accuracy", .share = true}};
    AUTO(trend_free) struct trend trend = {0};
    for (size_t i = 0; i < runs->n; i++) {
        const struct run *run = &runs->run[i];
        if (run->state != RUN_DONE || run->scored < 2) continue;
        const uint32_t group = trend_group(&trend, run->label);
        for (size_t j = 0; j < run->n_curve; j++)
            trend_add(&trend, group, run->curve[j].round, run->curve[j].round,
                      run->curve[j].accuracy);
    }
    trend_sort(&trend);
    plot_trend(&plot, &trend, PLOT_CURVE, false);
    plot_write(&plot, page, report_how(how, MEAN_OF_SEEDS, NULL),
               "no finished run was scored more than once. Give simulate --rounds-eval.");
}

/* Limits number from to to - 1 as levels. */
static void plot_limits(struct plot *plot, const struct trend *limits, size_t from, size_t to)
{
    for (size_t i = from; i < limits->n && i < to; i++) {
        char label[32];
        (void)snprintf(label, sizeof label, "limit %.4f", limits->point[i].most);
        plot_point(plot, plot_series(plot, label, PLOT_LEVEL),
                   (struct plot_point){.y = limits->point[i].most});
    }
    if (limits->status != STATUS_OK) plot->status = limits->status;
}

/* What was spent, of the seed that spent most, and the limits as levels: these first, the others
 * where curves leave room. */
enum { LIMITS_FIRST = 3 };

static void draw_budget(struct page *page, const struct runs *runs, size_t number)
{
    const char *frame = report_frame(runs, number);
    char name[PAGE_NAME_MAX / 2], how[REPORT_HOW_MAX];
    (void)snprintf(name, sizeof name, "budget-%zu", number + 1);
    AUTO(plot_free)
    struct plot plot = {.name = name,
                        .title = "Budget spent after each round",
                        .x = {.name = "round"},
                        .y = {.name = "\xCE\xB5 spent", .most = 1e-3}};
    AUTO(trend_free) struct trend trend = {0};
    AUTO(trend_free) struct trend limits = {0};
    for (size_t i = 0; i < runs->n && frame != NULL; i++) {
        const struct run *run = &runs->run[i];
        if (run->state != RUN_DONE || run->kind != number + 1 || !isfinite(run->limit)) continue;
        const uint32_t group = trend_group(&trend, run->label);
        trend_add(&limits, 0, account_rounded(run->limit), 0, account_rounded(run->limit));
        for (size_t j = 0; j < run->n_curve; j++)
            if (isfinite(run->curve[j].epsilon))
                trend_add(&trend, group, run->curve[j].round, run->curve[j].round,
                          account_rounded(run->curve[j].epsilon));
    }
    plot_limits(&plot, &limits, 0, LIMITS_FIRST);
    trend_sort(&trend);
    plot_trend(&plot, &trend, PLOT_CURVE, true);
    plot_limits(&plot, &limits, LIMITS_FIRST, limits.n);
    plot_write(
        &plot, page,
        report_how(how, "Spent, with the dropouts that happened: the largest over seeds.", frame),
        "no finished run has a finite epsilon and was scored.");
}

void report_course(struct page *page, const struct runs *runs)
{
    draw_learning(page, runs);
    for (size_t i = 0; i == 0 || (i < REPORT_KINDS_DRAWN && i < runs->n_kinds); i++)
        draw_budget(page, runs, i);
}

static void draw_bytes(struct page *page, const struct runs *runs)
{
    char how[REPORT_HOW_MAX];
    AUTO(plot_free)
    struct plot plot = {.name = "bytes",
                        .title = "Accuracy against bytes sent",
                        .x = {.name = "bytes up per site, whole study", .log = true},
                        .y = {.name = "accuracy", .share = true}};
    AUTO(trend_free) struct trend trend = {0};
    for (size_t i = 0; i < runs->n; i++) {
        const struct run *run = &runs->run[i];
        if (run->state != RUN_DONE || !(run->bytes_up > 0)) continue;
        trend_add(&trend, group_of(&trend, runs, run, "epsilon"),
                  isnan(run->target) ? 0 : run->target, run->bytes_up, run->accuracy);
    }
    trend_sort(&trend);
    plot_trend(&plot, &trend, PLOT_MARKS, false);
    plot_write(&plot, page,
               report_how(how,
                          "One mark for each epsilon: means over seeds, with the 95 % "
                          "interval of the accuracy. The most that one site sent.",
                          NULL),
               "no finished run counted bytes: yardsticks send nothing.");
}

static void draw_dropouts(struct page *page, const struct runs *runs, const char *title,
                          const char *file, run_measure *y, bool failed_too)
{
    char how[REPORT_HOW_MAX];
    bool any = false;
    AUTO(plot_free)
    struct plot plot = {.name = file,
                        .title = title,
                        .x = {.name = "chance that a site drops out of a round"},
                        .y = {.name = failed_too ? "share of rounds" : "accuracy", .share = true}};
    AUTO(trend_free) struct trend trend = {0};
    for (size_t i = 0; i < runs->n; i++) any = any || runs->run[i].dropout > 0;
    for (size_t i = 0; i < runs->n && any; i++) {
        const struct run *run = &runs->run[i];
        if (run->frame[0] == 0 || (run->state != RUN_DONE && !failed_too)) continue;
        trend_add(&trend, group_of(&trend, runs, run, "dropout"), run->dropout, run->dropout,
                  y(run));
    }
    trend_sort(&trend);
    plot_trend(&plot, &trend, PLOT_CURVE, false);
    plot_write(&plot, page,
               report_how(how,
                          failed_too ? "Rounds that opened although sites dropped out, of all that "
                                       "were begun; runs that failed count here. " MEAN_OF_SEEDS
                                     : MEAN_OF_SEEDS,
                          NULL),
               "no site dropped out. The grid of the sweep file lists dropouts.");
}

static void draw_attack(struct page *page, const struct runs *runs, bool canary)
{
    char how[REPORT_HOW_MAX];
    AUTO(plot_free)
    struct plot plot = {
        .name = canary ? "attack-canary" : "attack-mia",
        .title =
            canary ? "Accuracy against what canaries prove" : "Accuracy against membership attacks",
        .x = {.name = canary ? "lower bound on \xCE\xB5" : "members found at 1 % false alarms",
              .most = 1e-3},
        .y = {.name = "accuracy", .share = true}};
    AUTO(trend_free) struct trend trend = {0};
    for (size_t i = 0; i < runs->n; i++) {
        const struct run *run = &runs->run[i];
        const double x = canary ? run->attack_bound : run->attack_tpr;
        if (run->state != RUN_DONE || isnan(x)) continue;
        trend_add(&trend, group_of(&trend, runs, run, "epsilon"),
                  isnan(run->target) ? -1 : run->target, x, run->accuracy);
    }
    trend_sort(&trend);
    plot_trend(&plot, &trend, PLOT_MARKS, false);
    plot_write(&plot, page,
               report_how(how,
                          canary ? "One mark for each epsilon: the means over seeds of the "
                                   "bound in canary.json, and of the accuracy. Up and left "
                                   "is better."
                                 : "One mark for each epsilon: the means over seeds of the "
                                   "better attack's rate in mia.json, and of the accuracy. "
                                   "Up and left is better.",
                          NULL),
               canary ? "no run has a canary.json. veilsum-lab audit canary --out RUNS/NNNN "
                        "writes it."
                      : "no run has a mia.json. veilsum-lab audit mia --out RUNS/NNNN writes it.");
}

void report_costs(struct page *page, const struct runs *runs)
{
    draw_bytes(page, runs);
    draw_dropouts(page, runs, "Rounds that opened", "dropouts-rounds", opened_of, true);
    draw_dropouts(page, runs, "Accuracy when sites drop out", "dropouts-accuracy", accuracy_of,
                  false);
    draw_attack(page, runs, false);
    draw_attack(page, runs, true);
}
