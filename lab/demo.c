/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab demo: arguments, order of things, cleaning up. */
#include "lab/demo.h"

#include <argp.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lab/commands.h"
#include "lab/folder.h"
#include "lab/option.h"

enum {
    ARG_PARTITION = 256,
    ARG_SITES,
    ARG_BITS,
    ARG_EPSILON,
    ARG_UNIT,
    ARG_MODEL,
    ARG_MODE,
    ARG_ROUNDS,
    ARG_SEED,
    ARG_BASELINE,
    ARG_FORMAT,
    ARG_KEEP
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

bool demo_stopped(void)
{
    return stopped != 0;
}

static bool one_of(const char *text, const char *a, const char *b)
{
    return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

static void end_of_arguments(struct demo_options *o, struct argp_state *state)
{
    const char *wrong = corpus_usage(&o->corpus);
    if (wrong != NULL) argp_error(state, "%s", wrong);
    if (!one_of(o->unit, "patient", "site")) argp_error(state, "--unit is patient or site");
    if (!one_of(o->model, "mlp", "cnn")) argp_error(state, "--model is mlp or cnn");
    if (!one_of(o->mode, "private", "paper") && strcmp(o->mode, "none") != 0)
        argp_error(state, "--pruning is private, paper or none");
    o->split = option_split(state, o->partition);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct demo_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->corpus;
        return 0;
    case ARG_PARTITION:
        o->partition = text;
        return 0;
    case ARG_BITS:
        o->bits = option_count(state, "bits", text, 16, 32);
        return 0;
    case ARG_SITES:
        o->sites = option_count(state, "sites", text, 4, DEMO_SITES_MAX);
        return 0;
    case ARG_ROUNDS:
        o->rounds = option_count(state, "rounds", text, 8, 10000);
        return 0;
    case ARG_EPSILON:
        o->epsilon = option_number(state, "epsilon", text, 1e-3, (double)INFINITY);
        return 0;
    case ARG_SEED:
        o->seed = option_seed(state, text);
        return 0;
    case ARG_UNIT:
        o->unit = text;
        return 0;
    case ARG_MODEL:
        o->model = text;
        return 0;
    case ARG_MODE:
        o->mode = text;
        return 0;
    case ARG_KEEP:
        o->folder = text;
        return 0;
    case ARG_BASELINE:
        o->baseline = true;
        return 0;
    case ARG_FORMAT:
        o->json = option_json(state, text);
        return 0;
    case ARGP_KEY_END:
        end_of_arguments(o, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
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

static double now_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
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
    static const struct argp_option options[] = {
        {"sites", ARG_SITES, "N", 0, "Sites (8)", 0},
        {"bits", ARG_BITS, "N", 0, "Ring width; below 32 rotated and rounded by chance (32)", 0},
        {"partition", ARG_PARTITION, "NAME", 0,
         "Whose records are which: " SPLIT_NAMES " (dirichlet:0.3)", 0},
        {"epsilon", ARG_EPSILON, "E", 0, "Target at delta 1e-5; inf: no noise (3)", 0},
        {"unit", ARG_UNIT, "UNIT", 0, "Unit of privacy: patient or site (patient)", 0},
        {"model", ARG_MODEL, "KIND", 0, "mlp 784-200-200-10 or cnn (mlp)", 0},
        {"pruning", ARG_MODE, "MODE", 0, "private, paper or none (private)", 0},
        {"rounds", ARG_ROUNDS, "N", 0, "Training rounds (100; without noise 130; unit site 30)", 0},
        {"baseline", ARG_BASELINE, NULL, 0, "Also train unpruned without privacy", 0},
        {"format", ARG_FORMAT, "FORMAT", 0, "text or json (text)", 0},
        {"seed", ARG_SEED, "N", 0, "Of the split and initial weights (1)", 0},
        {"keep", ARG_KEEP, "DIR", 0, "New folder for everything; it stays", 0},
        {0}};
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
    const struct argp argp = {
        .options = options, .parser = parse, .doc = doc, .children = corpus_options};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &demo.options);
    demo.aggregator.out = -1;
    for (uint32_t v = 0; v < DEMO_SITES_MAX; v++) demo.site[v].out = -1;
    const struct sigaction action = {.sa_handler = stop};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    const double start = now_seconds();
    enum exit_code code = demo_prepare(&demo);
    demo.seconds = now_seconds() - start;
    if (code == EXIT_OK && !demo_stopped()) code = demo_run(&demo);
    if (demo_stopped()) {
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
