/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "lab/report.h"

const char *report_frame(const struct runs *runs, size_t i)
{
    for (size_t k = 0; k < runs->n; k++)
        if (runs->run[k].kind == i + 1) return runs->run[k].frame;
    return NULL;
}

const char *report_how(char out[static REPORT_HOW_MAX], const char *what, const char *frame)
{
    (void)snprintf(out, REPORT_HOW_MAX, "%s%s%s%s From result.json of each finished run.", what,
                   frame == NULL ? "" : " Epsilon: ", frame == NULL ? "" : frame,
                   frame == NULL
                       ? ""
                       : "; the limit that every site enforces, with the fewest survivors "
                         "throughout and no round failing, unless it says spent.");
    return out;
}

static void count_states(struct page *page, const struct runs *runs, const char *folder)
{
    size_t count[RUN_STATES] = {0};
    for (size_t i = 0; i < runs->n; i++) count[runs->run[i].state]++;
    struct buffer *out = &page->html;
    page_print(
        out, "<p>%zu runs: %zu finished, %zu failed, %zu running, %zu unreadable. From <code>",
        runs->n, count[RUN_DONE], count[RUN_FAILED], count[RUN_RUNNING], count[RUN_UNREADABLE]);
    page_text(out, folder);
    page_print(out, "</code>, by <code>veilsum-lab report</code> %s.</p>\n", VEILSUM_VERSION);
    page_print(
        out,
        "<p class=\"soft\">An interval is that of the mean over repetitions (seeds) at 95 %%, by "
        "Student's t; one repetition has none. Epsilons are rounded up. Noise of these runs "
        "can be replayed from their seeds, so they protect nobody: they say what a study "
        "with the system's randomness would cost and bring.</p>\n");
}

void report_runs(struct page *page, const struct runs *runs, const char *folder)
{
    page_begin(page, "Privacy, accuracy and cost");
    count_states(page, runs, folder);
    report_summary(page, runs);
    page_figures_begin(page, "Accuracy against privacy");
    report_epsilon(page, runs);
    page_figures_end(page);
    page_figures_begin(page, "In the course of a study");
    report_course(page, runs);
    page_figures_end(page);
    page_figures_begin(page, "Costs, losses and attacks");
    report_costs(page, runs);
    page_figures_end(page);
    page_figures_begin(page, "What it does for each site");
    report_sites(page, runs);
    page_figures_end(page);
    report_failures(page, runs);
    page_end(page);
}
