/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of a sweep: one row for each setting, over its seeds; the runs that failed; and where all
 * of them come from. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dp/account.h"
#include "lab/report.h"
#include "lab/sheet.h"
#include "lab/trend.h"

enum measure { ACCURACY, BALANCED, AUC, BYTES, KEPT, LIMIT, SPENT, MEASURES };

static double measure_of(const struct run *run, enum measure which)
{
    const double all[MEASURES] = {
        [ACCURACY] = run->accuracy, [BALANCED] = run->balanced, [AUC] = run->auc,
        [BYTES] = run->bytes_up,    [KEPT] = run->kept,         [LIMIT] = run->limit,
        [SPENT] = run->spent,
    };
    return all[which];
}

/* All runs of one setting. */
struct cell {
    struct trend_point measure[MEASURES];
    uint32_t done, other;
    bool infinite, several; /* an epsilon without end; different kinds of it */
    size_t kind;            /* 0: no privacy is accounted */
    enum status status;     /* STATUS_NOMEM */
};

static struct cell cell_of(const struct runs *runs, size_t first)
{
    struct cell cell = {0};
    AUTO(trend_free) struct trend all = {0};
    size_t i = first;
    do {
        const struct run *run = &runs->run[i];
        cell.done += run->state == RUN_DONE;
        cell.other += run->state != RUN_DONE;
        if (run->state != RUN_DONE) continue;
        cell.infinite = cell.infinite || isinf(run->limit) || isinf(run->spent);
        cell.several = cell.several || (cell.done > 1 && cell.kind != run->kind);
        cell.kind = run->kind;
        for (enum measure m = 0; m < MEASURES; m++) trend_add(&all, m, 0, 0, measure_of(run, m));
    } while ((i = runs->run[i].again) != 0);
    for (size_t k = 0; k < all.n; k++) cell.measure[all.point[k].group] = all.point[k];
    cell.status = all.status;
    return cell;
}

static void cell_mean(struct sheet *sheet, const struct trend_point *p)
{
    sheet_number(sheet, "%.4f", p->n == 0 ? (double)NAN : p->mean);
    sheet_number(sheet, "\xC2\xB1 %.4f", p->n == 0 ? (double)NAN : trend_half_width(p));
}

static void cell_epsilon(struct sheet *sheet, const struct cell *cell, enum measure which)
{
    const struct trend_point *p = &cell->measure[which];
    const double most = cell->infinite ? (double)INFINITY : p->n == 0 ? (double)NAN : p->most;
    sheet_number(sheet, "%.4f", isfinite(most) ? account_rounded(most) : most);
}

static void write_cell(struct sheet *sheet, const char *label, const struct cell *cell)
{
    sheet_text(sheet, label);
    sheet_count(sheet, cell->done);
    sheet_count(sheet, cell->other);
    cell_mean(sheet, &cell->measure[ACCURACY]);
    cell_mean(sheet, &cell->measure[BALANCED]);
    cell_mean(sheet, &cell->measure[AUC]);
    cell_epsilon(sheet, cell, LIMIT);
    cell_epsilon(sheet, cell, SPENT);
    sheet_number(sheet, "%.0f",
                 cell->measure[BYTES].n == 0 ? (double)NAN : cell->measure[BYTES].mean);
    sheet_number(sheet, "%.4f",
                 cell->measure[KEPT].n == 0 ? (double)NAN : cell->measure[KEPT].mean);
    sheet_number(sheet, "%.0f",
                 cell->several || cell->kind == 0 ? (double)NAN : (double)cell->kind);
}

/* What the numbers in the last column stand for. */
static void list_kinds(struct page *page, const struct runs *runs)
{
    static const char *const heads[] = {"kind of \xCE\xB5", "what it is about", NULL};
    if (runs->n_kinds == 0) return;
    AUTO(sheet_free) struct sheet sheet = {0};
    sheet_begin(&sheet, page, "kinds", heads);
    for (size_t i = 0, listed = 0; i < runs->n; i++) {
        if (runs->run[i].kind <= listed) continue;
        sheet_count(&sheet, (double)++listed);
        sheet_text(&sheet, runs->run[i].frame);
    }
    sheet_end(&sheet, NULL, "Epsilons of different kinds do not compare, and share no figure.");
    if (runs->n_kinds > REPORT_KINDS_DRAWN)
        page_print(&page->html,
                   "<p class=\"soft\">Only the first %d kinds have figures; the table above has "
                   "the others.</p>\n",
                   REPORT_KINDS_DRAWN);
}

void report_summary(struct page *page, const struct runs *runs)
{
    static const char *const heads[] = {"settings",
                                        "n",
                                        "not finished",
                                        "accuracy",
                                        "95 %",
                                        "balanced",
                                        "95 %",
                                        "AUC",
                                        "95 %",
                                        "\xCE\xB5 limit",
                                        "\xCE\xB5 spent",
                                        "bytes up per site",
                                        "kept",
                                        "kind of \xCE\xB5",
                                        NULL};
    AUTO(sheet_free) struct sheet sheet = {0};
    page_print(&page->html, "<h2>Results</h2>\n");
    sheet_begin(&sheet, page, "summary", heads);
    for (size_t i = 0; i < runs->n; i++) {
        if (runs->run[i].cell != i) continue;
        const struct cell cell = cell_of(runs, i);
        write_cell(&sheet, runs->run[i].label, &cell);
        if (cell.status != STATUS_OK) page->html.status = cell.status;
    }
    sheet_end(&sheet, NULL,
              "One row for each setting; means over n finished runs. Epsilons are the largest of "
              "the runs, rounded up. Limit: what every site enforces, with the fewest survivors "
              "throughout and no round failing. Spent: with the dropouts that happened.");
    list_kinds(page, runs);
}

static void list_failures(struct page *page, const struct runs *runs)
{
    static const char *const heads[] = {"run", "settings", "state", "why", NULL};
    static const char *const name[RUN_STATES] = {
        [RUN_FAILED] = "failed", [RUN_RUNNING] = "running", [RUN_UNREADABLE] = "unreadable"};
    AUTO(sheet_free) struct sheet sheet = {0};
    page_print(&page->html, "<h2>Runs without a result</h2>\n");
    sheet_begin(&sheet, page, "failed", heads);
    for (size_t i = 0; i < runs->n; i++) {
        const struct run *run = &runs->run[i];
        if (run->state == RUN_DONE) continue;
        sheet_text(&sheet, run->name);
        sheet_text(&sheet, run->label);
        sheet_text(&sheet, name[run->state]);
        sheet_text(&sheet, run->why);
    }
    sheet_end(&sheet, NULL,
              sheet.rows == 0 ? "Every run finished."
                              : "From status.json; they are in no mean above. Give the sweep's "
                                "command again to go on with what can be.");
}

/* Each distinct value of one member of the runs, and how many runs have it. */
static void list_origin(struct sheet *sheet, const struct runs *runs, const char *what,
                        size_t offset)
{
    AUTO(trend_free) struct trend values = {0};
    for (size_t i = 0; i < runs->n; i++) {
        const char *value = (const char *)&runs->run[i] + offset;
        trend_add(&values, trend_group(&values, value[0] == 0 ? "not known" : value), 0, 0, 0);
    }
    for (size_t i = 0; i < values.n; i++) {
        sheet_text(sheet, what);
        sheet_text(sheet, values.group[values.point[i].group]);
        sheet_count(sheet, values.point[i].n);
    }
    if (values.status != STATUS_OK) sheet->html.status = values.status;
}

void report_failures(struct page *page, const struct runs *runs)
{
    static const char *const heads[] = {"what", "value", "runs", NULL};
    list_failures(page, runs);
    AUTO(sheet_free) struct sheet sheet = {0};
    page_print(&page->html, "<h2>Where the runs come from</h2>\n");
    sheet_begin(&sheet, page, "origin", heads);
    list_origin(&sheet, runs, "program version", offsetof(struct run, version));
    list_origin(&sheet, runs, "commit", offsetof(struct run, commit));
    list_origin(&sheet, runs, "build", offsetof(struct run, build));
    list_origin(&sheet, runs, "hash of the training records", offsetof(struct run, data_hash));
    list_origin(&sheet, runs, "hash of the initial weights", offsetof(struct run, initial_hash));
    sheet_end(&sheet, NULL,
              "More than one version, commit or build in a table means that its rows differ in "
              "more than their settings. To repeat a run: veilsum-lab rerun "
              "RUNS/NNNN/manifest.json. To make this page again: veilsum-lab report RUNS -o FILE.");
}
