/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab audit canary: arguments, order of things, cleaning up. */
#include "lab/audit_canary.h"

#include <stdlib.h>

#include "base/crew.h"
#include "base/option.h"
#include "lab/audit.h"
#include "lab/courier.h"

#define CANARIES_MAX 100000

/* Noise that can be replayed from a seed protects nobody, and so costs without bound. */
static const char *against(const struct canary_options *o)
{
    if ((o->images == NULL) != (o->labels == NULL))
        return "--canary-images and --canary-labels go together";
    if (o->public && o->site != NULL)
        return "--public says that nothing is to be charged, --ledger where it is charged to";
    if (!o->public && o->site == NULL)
        return "what comes out of a study on patients' records is a release: say with --ledger "
               "whose budget bears it, or with --public that they are nobody's";
    if (!o->public && o->kind == CANARY_MISLABELLED && o->images == NULL)
        return "mislabelled records are patients' too, and are scored without noise: with --ledger "
               "take random canaries, or some from a file that are nobody's";
    if (!o->public && o->seeded)
        return "noise that is drawn from a seed can be taken away again and protects nobody: leave "
               "--seed out, or say --public";
    return NULL;
}

static void check(void *values, struct argp_state *state)
{
    struct canary_options *o = values;
    const struct records *r = &o->corpus;
    const bool test = o->kind == CANARY_MISLABELLED && o->images == NULL;
    const char *wrong = !records_named(r) ? NULL : test ? corpus_usage(r) : records_usage(r);
    if (wrong == NULL) wrong = against(o);
    if (wrong != NULL) argp_error(state, "%s", wrong);
    if (!o->guessing) o->guesses = o->canaries / 8 * 2;
    if (o->guesses % 2 != 0 || o->guesses > o->canaries || o->guesses == 0)
        argp_error(state, "--guesses %u: it is even, from 2 to the number of canaries", o->guesses);
    o->split = corpus_split(state, o->partition);
}

static void audit_free(struct canary_audit *audit)
{
    const uint32_t n = audit->subject.study.sites.expected;
    fleet_close(&audit->fleet);
    charge_close(&audit->charge);
    for (uint32_t v = 0; audit->share != NULL && v < n; v++) dataset_free(&audit->share[v]);
    free(audit->share);
    local_free(&audit->canary);
    subject_free(&audit->subject);
    free(audit->included);
    free(audit->before);
    free(audit->after);
    free(audit->score);
    rng_wipe(&audit->rng);
}

enum exit_code audit_canary(int argc, char **argv)
{
    static const char doc[] =
        "Put canaries among the records of a study, each by a fair coin of its own, play the study "
        "once, and guess from its model which of them were in: a lower bound on its epsilon.\v"
        "Exit codes: 0 nothing refutes the study's epsilon; 6 something does; 5 the budget does "
        "not bear it; 7 the data; 2 the arguments; 1 otherwise.\n\n"
        "Examples:\n"
        "  veilsum-lab audit canary --study study.yaml --public --seed 1\n"
        "  veilsum-lab audit canary --study study.yaml --npz chest.npz --ledger "
        "/var/lib/veilsum/cxr \\\n      --canaries 2000 --out audit\n";
    static struct canary_audit audit; /* large; the fleet in it is not moved */
    audit.options = (struct canary_options){.partition = "iid",
                                            .canaries = 1000,
                                            .threads = command_threads(CREW_MAX),
                                            .confidence = 0.95};
    struct canary_options *o = &audit.options;
    const struct option_row row[] = {
        option_study(&o->study, "The study file; its sites are played"),
        {"backbone", "FILE", "Frozen weights, where the study has a rank", .text = &o->backbone},
        {"partition", "NAME", "Whose records are which: " SPLIT_NAMES " (iid)",
         .text = &o->partition},
        {.help = "The canaries, and what is guessed of them:"},
        {"canaries", "M", "How many there are (1000)", .count = &o->canaries, .least = 2,
         .most = CANARIES_MAX},
        {"kind", "NAME",
         "random: pixels and label by chance, nobody's; mislabelled, with --public: held-out "
         "records with another label (random)",
         .choice = &o->kind, OPTION_AMONG(canary_kind_name)},
        {"canary-images", "FILE", "Canaries from an idx file, the first M; nobody's",
         .text = &o->images},
        {"canary-labels", "FILE", "and their labels", .text = &o->labels},
        {"guesses", "R", "Guessed in or out, half each (a quarter of M)", .given = &o->guessing,
         .count = &o->guesses, .least = 2, .most = CANARIES_MAX},
        {"method", "NAME",
         "The bound that the verdict is about: one-run, for every mechanism, or one-run-fdp, for "
         "Gaussian-like ones (one-run)",
         .choice = &o->method, OPTION_AMONG(canary_method_name)},
        {"confidence", "P", "Of the bound (0.95)", .number = &o->confidence, .least = 0.5,
         .most = 0.999999},
        {.help = "Who pays:"},
        {"ledger", "DIR",
         "A site's folder: the ledger that its policy names is charged what the study costs its "
         "patients, before it begins",
         .text = &o->site},
        {"public", NULL, "The records are public or synthetic: nothing is charged",
         .given = &o->public},
        {"seed", "N", "Of everything that is drawn; with --public (the system's)",
         .given = &o->seeded, .seed = &o->seed},
        {.help = "Running and reporting:"},
        option_threads(&o->threads, CREW_MAX, "Sites that work at a time (one per processor)"),
        {"real", .help = COURIER_OPTION_HELP, .given = &o->real},
        option_format(&o->json),
        option_out(&o->folder, "DIR", "Also write canary.json and canary-scores.csv there"),
        {0}};
    option_read(&(struct option_table){.row = row,
                                       .doc = doc,
                                       .children = corpus_options,
                                       .further = &o->corpus,
                                       .check = check,
                                       .values = o},
                argc, argv);
    command_catch_stop();
    enum exit_code code = canary_prepare(&audit);
    if (code == EXIT_OK) code = canary_run(&audit);
    if (code == EXIT_OK) code = canary_report(&audit);
    audit_free(&audit);
    return code;
}
