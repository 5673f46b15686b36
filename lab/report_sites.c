/* SPDX-License-Identifier: Apache-2.0 */
/* What a study does for each site: accuracy by size, and who held which block how often. */
#include <math.h>
#include <stdio.h>

#include "lab/plot.h"
#include "lab/report.h"
#include "lab/sheet.h"

/* Every site of every seed is a mark: shares of different seeds are different sites. */
static void plot_sites(struct plot *plot, const struct runs *runs, bool test)
{
    AUTO(trend_free) struct trend groups = {0};
    for (size_t i = 0; i < runs->n; i++) {
        const struct run *run = &runs->run[i];
        if (run->state != RUN_DONE || run->n_sites == 0) continue;
        if (test && isnan(run->site[0].test)) continue;
        /* the plot's series are these groups */
        const uint32_t group = trend_group(&groups, run->label);
        if (groups.status != STATUS_OK) plot->status = groups.status;
        if (groups.status != STATUS_OK) return;
        struct plot_series *series = group < plot->n_series
                                         ? &plot->series[group]
                                         : plot_series(plot, run->label, PLOT_MARKS);
        for (size_t v = 0; v < run->n_sites; v++)
            plot_point(plot, series,
                       (struct plot_point){.x = run->site[v].records,
                                           .y = test ? run->site[v].test : run->site[v].own,
                                           .low = (double)NAN,
                                           .high = (double)NAN});
    }
}

/* Is a site better off alone? Its own model beside those that it would get, on the same records. */
static void draw_alone(struct page *page, const struct runs *runs)
{
    char how[REPORT_HOW_MAX];
    AUTO(plot_free)
    struct plot plot = {.name = "fairness-test",
                        .title = "A site's own model, and the common ones",
                        .x = {.name = "records of the site", .log = true},
                        .y = {.name = "accuracy on test records", .share = true}};
    AUTO(trend_free) struct trend levels = {0};
    plot_sites(&plot, runs, true);
    for (size_t i = 0; i < runs->n && plot.n_series > 0; i++) {
        const struct run *run = &runs->run[i];
        if (run->state == RUN_DONE && (run->n_sites == 0 || isnan(run->site[0].test)))
            trend_add(&levels, trend_group(&levels, run->label), 0, 0, run->accuracy);
    }
    plot_trend(&plot, &levels, PLOT_LEVEL, false);
    plot_write(&plot, page,
               report_how(how,
                          "One mark for each site of each seed that trained alone; lines: the "
                          "mean over seeds of what all sites would get together. A mark below a "
                          "line gains by taking part.",
                          NULL),
               "no finished run is local-only.");
}

static void draw_own(struct page *page, const struct runs *runs)
{
    char how[REPORT_HOW_MAX];
    AUTO(plot_free)
    struct plot plot = {.name = "fairness-own",
                        .title = "Each site's own records",
                        .x = {.name = "records of the site", .log = true},
                        .y = {.name = "accuracy on own records", .share = true}};
    plot_sites(&plot, runs, false);
    plot_write(&plot, page,
               report_how(how,
                          "One mark for each site of each seed: the final model on the site's own "
                          "training records. A model that learnt them by heart looks better here "
                          "than it is, most of all one that a site trained alone.",
                          NULL),
               "no finished run was scored site by site.");
}

/* The colour of a cell: how much of the rounds. */
static void heat_cell(struct buffer *out, double x, double y, double width, double height,
                      uint32_t held, uint32_t most)
{
    const double share = most == 0 ? 0 : (double)held / most;
    page_print(out,
               "<rect class=\"cell\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
               "fill-opacity=\"%.2f\"/>",
               x, y, width, height, 0.05 + 0.95 * share);
    if (width < 22 || height < 14) return;
    page_print(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%u</text>\n",
               share > 0.55 ? "dark" : "", x + width / 2, y + height / 2 + 4.5, held);
}

/* In the CSV file of blocks. */
#define NUMBERS_MOST ((size_t)1 << 20)

enum { HEAT_RUNS = 4, HEAT_BLOCKS = 40, HEAT_SITES = 60, HEAT_LEFT = 64, HEAT_WIDTH = 480 };

/* Blocks downwards, sites to the right; the last column is how many sites ever held the block. */
static void heat_map(struct buffer *out, const struct run *run)
{
    const uint32_t blocks = run->blocks < HEAT_BLOCKS ? run->blocks : HEAT_BLOCKS;
    const uint32_t sites = run->sites < HEAT_SITES ? run->sites : HEAT_SITES;
    const double width = (HEAT_WIDTH - HEAT_LEFT - 70.0) / sites, height = 22;
    uint32_t most = 0;
    for (size_t i = 0; i < (size_t)run->blocks * run->sites; i++)
        most = run->held[i] > most ? run->held[i] : most;
    page_print(out,
               "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"Rounds in which each site "
               "held each block\">\n<text class=\"name\" x=\"%d\" y=\"14\">site 1 to %u</text>"
               "<text class=\"name\" x=\"%d\" y=\"14\" text-anchor=\"end\">holders</text>\n",
               HEAT_WIDTH, blocks * height + 24, HEAT_LEFT, sites, HEAT_WIDTH - 4);
    for (uint32_t b = 0; b < blocks; b++) {
        uint32_t holders = 0;
        const double y = 20 + b * height;
        page_print(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">block %u</text>\n",
                   HEAT_LEFT - 6, y + 15, b + 1);
        for (uint32_t v = 0; v < run->sites; v++) {
            const uint32_t held = run->held[(size_t)b * run->sites + v];
            holders += held > 0;
            if (v < sites) heat_cell(out, HEAT_LEFT + v * width, y, width, height, held, most);
        }
        page_print(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%u%s</text>\n",
                   HEAT_WIDTH - 4, y + 15, holders,
                   holders < run->min_holders ? " \xE2\x9A\xA0" : "");
    }
    page_print(
        out,
        "</svg>\n<p class=\"soft\">In how many rounds a site held a block; at least %u sites must "
        "hold it.",
        run->min_holders);
    if (blocks < run->blocks || sites < run->sites)
        page_print(out, " %u of %u blocks and %u of %u sites are drawn.", blocks, run->blocks,
                   sites, run->sites);
    page_print(out, "</p>\n");
}

/* All runs that have blocks, also those without a figure; as many numbers as a page can carry. */
static void list_blocks(struct page *page, const struct runs *runs, size_t drawn)
{
    static const char *const heads[] = {"run", "block", "site", "rounds held", NULL};
    AUTO(sheet_free) struct sheet sheet = {0};
    size_t with = 0, left_out = 0, numbers = 0;
    page_print(&page->html, "<figure><h3>Blocks held, in numbers</h3>\n");
    sheet_begin(&sheet, page, "blocks", heads);
    for (size_t i = 0; i < runs->n; i++) {
        const struct run *run = &runs->run[i];
        const size_t more = (size_t)run->blocks * run->sites;
        with += run->blocks > 0;
        if (more > NUMBERS_MOST - numbers) {
            left_out++;
            continue;
        }
        numbers += more;
        for (uint32_t b = 0; b < run->blocks; b++)
            for (uint32_t v = 0; v < run->sites; v++) {
                sheet_text(&sheet, run->name);
                sheet_count(&sheet, b + 1);
                sheet_count(&sheet, v + 1);
                sheet_count(&sheet, run->held[(size_t)b * run->sites + v]);
            }
    }
    if (with > drawn)
        page_print(
            &page->html,
            "<p class=\"soft\">%zu more runs allocate blocks and are not drawn; the CSV file "
            "has their numbers.</p>\n",
            with - drawn);
    if (left_out > 0)
        page_print(
            &page->html,
            "<p class=\"soft\">%zu runs are left out of the CSV file: it would have more than "
            "%zu numbers. Their result.json has them.</p>\n",
            left_out, NUMBERS_MOST);
    sheet_end(&sheet, "The numbers",
              "From result.json of each run, allocation.rounds_held. Holders: sites that ever held "
              "the block; a sign marks fewer than the study's minimum.");
    page_print(&page->html, "</figure>\n");
}

void report_sites(struct page *page, const struct runs *runs)
{
    draw_alone(page, runs);
    draw_own(page, runs);
    size_t drawn = 0;
    for (size_t i = 0; i < runs->n && drawn < HEAT_RUNS; i++) {
        if (runs->run[i].blocks == 0) continue;
        page_print(&page->html, "<figure><h3>Blocks held in run %s: ", runs->run[i].name);
        page_text(&page->html, runs->run[i].label);
        page_print(&page->html, "</h3>\n");
        heat_map(&page->html, &runs->run[i]);
        page_print(&page->html, "</figure>\n");
        drawn++;
    }
    if (drawn > 0)
        list_blocks(page, runs, drawn);
    else
        page_figure_missing(page, "Blocks held",
                            "no run allocates layers to sites (allocation in the study file).");
}
