/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab simulate: arguments, order of things, cleaning up. */
#include "lab/simulate.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "client/data/split.h"
#include "lab/commands.h"
#include "lab/option.h"

enum {
    ARG_PARTITION = 256,
    ARG_METHOD,
    ARG_SEED,
    ARG_EVERY,
    ARG_DROPOUT,
    ARG_LIFETIME,
    ARG_INIT,
    ARG_BACKBONE,
    ARG_THREADS,
    ARG_FORMAT
};

static enum simulate_method method_of(struct argp_state *state, const char *text)
{
    enum simulate_method method = 0;
    while (method < SIMULATE_METHODS && strcmp(text, simulate_method_name(method)) != 0) method++;
    if (method == SIMULATE_METHODS)
        argp_error(state, "--method %s: it is federated, local-only, centralised or top-k", text);
    return method;
}

static void end_of_arguments(struct simulate_options *o, struct argp_state *state)
{
    const char *wrong = corpus_usage(&o->corpus);
    if (wrong != NULL) argp_error(state, "%s", wrong);
    if (o->study == NULL) argp_error(state, "--study is needed");
    o->split = option_split(state, o->partition);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct simulate_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->corpus;
        return 0;
    case 's':
        o->study = text;
        return 0;
    case ARG_PARTITION:
        o->partition = text;
        return 0;
    case ARG_METHOD:
        o->method = method_of(state, text);
        return 0;
    case ARG_SEED:
        o->seed = option_seed(state, text);
        return 0;
    case ARG_EVERY:
        o->every = option_count(state, "rounds-eval", text, 0, 1e6);
        return 0;
    case ARG_DROPOUT:
        o->dropout = option_number(state, "dropout", text, 0, 1);
        return 0;
    case ARG_LIFETIME:
        o->lifetime_epsilon = option_number(state, "lifetime-epsilon", text, 1e-3, 1000);
        return 0;
    case ARG_INIT:
        o->initial = text;
        return 0;
    case ARG_BACKBONE:
        o->backbone = text;
        return 0;
    case ARG_THREADS:
        o->threads = option_count(state, "threads", text, 1, CREW_MAX);
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

static void simulation_free(struct simulation *s)
{
    fleet_close(&s->fleet);
    for (uint32_t v = 0; s->share != NULL && v < s->n; v++) dataset_free(&s->share[v]);
    free(s->share);
    free(s->records);
    free(s->site);
    free(s->held);
    free(s->initial);
    free(s->row);
    local_free(&s->test);
    backbone_free(&s->backbone);
}

enum exit_code simulate_command(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"study", 's', "FILE", 0, "The study file; its sites.expected sites are played", 0},
        {"partition", ARG_PARTITION, "NAME", 0, "Whose records are which: " SPLIT_NAMES " (iid)",
         0},
        {"method", ARG_METHOD, "NAME", 0,
         "federated; local-only: each site by itself; centralised: all records at one place; "
         "top-k: "
         "each site sends the study's rounds.coordinates of its own choice, the largest, in the "
         "clear; these three without noise and pruning (federated)",
         0},
        {"seed", ARG_SEED, "N", 0, "Of everything that is drawn (1)", 0},
        {"rounds-eval", ARG_EVERY, "K", 0,
         "Score the model after every K training rounds (10; 0: at the end)", 0},
        {"dropout", ARG_DROPOUT, "P", 0,
         "Chance of a site to fall silent in a round, in any phase (0)", 0},
        {"lifetime-epsilon", ARG_LIFETIME, "E", 0, "Limit of each site's own policy (1000)", 0},
        {"backbone", ARG_BACKBONE, "FILE", 0,
         "Frozen weights under the adapters of a study with a rank, named by its model.backbone",
         0},
        {"init", ARG_INIT, "FILE", 0, "Initial weights, from veilsum-lab init (drawn)", 0},
        {"threads", ARG_THREADS, "N", 0, "Sites that work at a time (one per processor)", 0},
        {"format", ARG_FORMAT, "FORMAT", 0, "text or json (text)", 0},
        {0}};
    static const char doc[] =
        "Play a whole study in this process, with the programs' state machines, keys, ledgers and "
        "messages, on the parts of one data set. All chance comes from the seed, so that a run can "
        "be repeated: this protects nobody, and is for public data.\v"
        "Exit codes: 0 finished; 5 ended by a limit or by failing rounds; 7 the data; 6 a sum was "
        "not what the sites put in; 1 otherwise.\n\n"
        "Examples:\n"
        "  veilsum-lab simulate --study study.yaml --partition dirichlet:0.5\n"
        "  veilsum-lab simulate --study study.yaml --npz pneumoniamnist.npz --partition iid \\\n"
        "      --seed 3 --dropout 0.1 --format json >run-3.json\n"
        "  veilsum-lab simulate --study study.yaml --partition pathological:2 --method "
        "local-only\n";
    static struct simulation s; /* large; the fleet in it is not moved */
    s.options = (struct simulate_options){
        .partition = "iid", .seed = 1, .every = 10, .threads = command_threads(CREW_MAX)};
    const struct argp argp = {
        .options = options, .parser = parse, .doc = doc, .children = corpus_options};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &s.options);
    command_catch_stop();
    enum exit_code code = simulate_prepare(&s);
    if (code == EXIT_OK) {
        code = simulate_run(&s);
        if (s.n_rows > 0) simulate_report(&s);
        if (s.stop[0] != 0) fprintf(stderr, "simulate: %s\n", s.stop);
    }
    simulation_free(&s);
    return code;
}
