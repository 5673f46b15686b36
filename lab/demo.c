/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab demo: arguments, order of things, cleaning up. */
#include "lab/demo.h"

#include <math.h>
#include <stdlib.h>

#include "base/option.h"
#include "lab/commands.h"
#include "lab/folder.h"

static void check(void *values, struct argp_state *state)
{
    struct demo_options *o = values;
    const char *wrong = corpus_usage(&o->corpus);
    if (wrong != NULL) argp_error(state, "%s", wrong);
    o->split = corpus_split(state, o->partition);
}

void demo_clean(struct demo *demo)
{
    process_end(&demo->aggregator, 2000);
    for (uint32_t v = 0; v < demo->options.sites; v++) process_end(&demo->site[v], 500);
    if (demo->folder[0] != 0 && demo->options.folder == NULL) folder_remove(demo->folder);
    dataset_free(&demo->test);
    free(demo->test_x);
    free(demo->round);
}

static enum exit_code judge(const struct demo *demo, enum exit_code code)
{
    if (code != EXIT_OK) return code;
    if (!demo->sums_exact || demo->sums_checked == 0) return EXIT_VERIFY;
    if (demo->dropouts_recovered < 2) {
        fprintf(stderr, "demo: the two crashes were not both survived\n");
        return EXIT_VERIFY;
    }
    return EXIT_OK;
}

enum exit_code demo_command(int argc, char **argv)
{
    static const char *const unit[] = {"patient", "site"}, *const model[] = {"mlp", "cnn"},
                             *const mode[] = {"private", "paper", "none"};
    static const char doc[] =
        "Run a whole study on this machine: one coordinator and a few sites as real processes.\v"
        "Examples:\n"
        "  veilsum-lab demo --format json --baseline\n"
        "  veilsum-lab demo --epsilon inf --sites 12 --partition dirichlet:1\n"
        "  veilsum-lab demo --npz pneumoniamnist.npz --model cnn\n";
    static struct demo demo; /* large */
    demo.baseline = -1;
    demo.options = (struct demo_options){.sites = 8,
                                         .bits = 32,
                                         .partition = "dirichlet:0.3",
                                         .epsilon = 3,
                                         .unit = "patient",
                                         .model = "mlp",
                                         .mode = "private",
                                         .seed = 1};
    struct demo_options *o = &demo.options;
    const struct option_row row[] = {
        {"sites", "N", "Sites (8)", .count = &o->sites, .least = 4, .most = DEMO_SITES_MAX},
        {"bits", "N", "Ring width; below 32 rotated and rounded by chance (32)", .count = &o->bits,
         .least = 16, .most = 32},
        {"partition", "NAME", "Whose records are which: " SPLIT_NAMES " (dirichlet:0.3)",
         .text = &o->partition},
        {"epsilon", "E", "Target at delta 1e-5; inf: no noise (3)", .number = &o->epsilon,
         .least = 1e-3, .most = (double)INFINITY},
        {"unit", "UNIT", "Unit of privacy: patient or site (patient)", .text = &o->unit,
         OPTION_AMONG(unit)},
        {"model", "KIND", "mlp 784-200-200-10 or cnn (mlp)", .text = &o->model,
         OPTION_AMONG(model)},
        {"pruning", "MODE", "private, paper or none (private)", .text = &o->mode,
         OPTION_AMONG(mode)},
        {"rounds", "N", "Training rounds (100; without noise 130; unit site 30)",
         .count = &o->rounds, .least = 8, .most = 10000},
        {"baseline", NULL, "Also train unpruned without privacy", .given = &o->baseline},
        option_format(&o->json),
        option_seed(&o->seed, "Of the split and initial weights (1)"),
        {"keep", "DIR", "New folder for everything; it stays", .text = &o->folder},
        {0}};
    option_read(&(struct option_table){.row = row,
                                       .doc = doc,
                                       .children = corpus_options,
                                       .further = &o->corpus,
                                       .check = check,
                                       .values = o},
                argc, argv);
    demo.aggregator.out = -1;
    for (uint32_t v = 0; v < DEMO_SITES_MAX; v++) demo.site[v].out = -1;
    command_catch_stop();
    const uint64_t start = command_now_ms();
    enum exit_code code = demo_prepare(&demo);
    demo.seconds = (double)(command_now_ms() - start) / 1000;
    if (code == EXIT_OK && !command_stopped()) code = demo_run(&demo);
    if (command_stopped()) {
        fprintf(stderr, "\ndemo: stopped; all processes are ended%s\n",
                demo.options.folder == NULL ? " and the folder is removed" : "");
        code = EXIT_FAILED;
    } else if (code == EXIT_OK) {
        code = judge(&demo, code);
        demo_report(&demo);
    } else if (demo.options.folder != NULL) {
        fprintf(stderr, "demo: see %s\n", demo.log);
    }
    demo_clean(&demo);
    return code;
}
