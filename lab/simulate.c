/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab simulate: arguments, order of things, cleaning up. */
#include "lab/simulate.h"

#include <stdlib.h>

#include "base/crew.h"
#include "base/option.h"
#include "lab/commands.h"
#include "lab/courier.h"

static void check(void *values, struct argp_state *state)
{
    struct simulate_options *o = values;
    const char *wrong = corpus_usage(&o->corpus);
    if (wrong != NULL) argp_error(state, "%s", wrong);
    if (o->real && o->method != SIMULATE_FEDERATED)
        argp_error(state, "--real is for --method federated: nothing else sends messages");
    o->split = corpus_split(state, o->partition);
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
    static const char doc[] =
        "Play a whole study in this process, with the programs' state machines, keys, ledgers and "
        "messages, and with --real their transport, on the parts of one data set. All chance comes "
        "from the seed, so that a run can "
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
    struct simulate_options *o = &s.options;
    const struct option_row row[] = {
        option_study(&o->study, "The study file; its sites.expected sites are played"),
        {"partition", "NAME", "Whose records are which: " SPLIT_NAMES " (iid)",
         .text = &o->partition},
        {"method", "NAME",
         "federated; local-only: each site by itself; centralised: all records at one place; "
         "top-k: each site sends the study's rounds.coordinates of its own choice, the largest, in "
         "the clear; these three without noise and pruning (federated)",
         .choice = &o->method, OPTION_AMONG(simulate_method_name)},
        option_seed(&o->seed, "Of everything that is drawn (1)"),
        {"rounds-eval", "K", "Score the model after every K training rounds (10; 0: at the end)",
         .count = &o->every, .most = 1e6},
        {"dropout", "P", "Chance of a site to fall silent in a round, in any phase (0)",
         .number = &o->dropout, .most = 1},
        {"lifetime-epsilon", "E", "Limit of each site's own policy (1000)",
         .number = &o->lifetime_epsilon, .least = 1e-3, .most = 1000},
        {"backbone", "FILE",
         "Frozen weights under the adapters of a study with a rank, named by its model.backbone",
         .text = &o->backbone},
        {"init", "FILE", "Initial weights, from veilsum-lab init (drawn)", .text = &o->initial},
        option_threads(&o->threads, CREW_MAX, "Sites that work at a time (one per processor)"),
        {"real", .help = COURIER_OPTION_HELP, .given = &o->real},
        option_format(&o->json),
        {0}};
    option_read(&(struct option_table){.row = row,
                                       .doc = doc,
                                       .children = corpus_options,
                                       .further = &o->corpus,
                                       .check = check,
                                       .values = o},
                argc, argv);
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
