/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab audit canary: arguments, order of things, cleaning up. */
#include "lab/audit_canary.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "lab/audit.h"
#include "lab/option.h"

#define CANARIES_MAX 100000

enum {
    ARG_BACKBONE = 256,
    ARG_PARTITION,
    ARG_CANARIES,
    ARG_KIND,
    ARG_IMAGES,
    ARG_LABELS,
    ARG_GUESSES,
    ARG_METHOD,
    ARG_PUBLIC,
    ARG_LEDGER,
    ARG_SEED,
    ARG_THREADS,
    ARG_CONFIDENCE,
    ARG_FORMAT,
    ARG_OUT
};

static uint32_t one_of(struct argp_state *state, const char *option, const char *text,
                       const char *const *name, uint32_t n)
{
    uint32_t i = 0;
    while (i < n && strcmp(text, name[i]) != 0) i++;
    if (i == n) argp_error(state, "--%s %s: it is %s or %s", option, text, name[0], name[1]);
    return i;
}

/* Noise that can be replayed from a seed protects nobody, and so costs without bound. */
static const char *against(const struct canary_options *o)
{
    if (o->study == NULL) return "--study is needed";
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

static void end_of_arguments(struct canary_options *o, struct argp_state *state)
{
    const struct records *r = &o->corpus;
    const bool test = o->kind == CANARY_MISLABELLED && o->images == NULL;
    const char *wrong = !records_named(r) ? NULL : test ? corpus_usage(r) : records_usage(r);
    if (wrong == NULL) wrong = against(o);
    if (wrong != NULL) argp_error(state, "%s", wrong);
    if (!o->guessing) o->guesses = o->canaries / 8 * 2;
    if (o->guesses % 2 != 0 || o->guesses > o->canaries || o->guesses == 0)
        argp_error(state, "--guesses %u: it is even, from 2 to the number of canaries", o->guesses);
    o->split = option_split(state, o->partition);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct canary_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->corpus;
        return 0;
    case 's':
        o->study = text;
        return 0;
    case ARG_BACKBONE:
        o->backbone = text;
        return 0;
    case ARG_PARTITION:
        o->partition = text;
        return 0;
    case ARG_CANARIES:
        o->canaries = option_count(state, "canaries", text, 2, CANARIES_MAX);
        return 0;
    case ARG_KIND:
        o->kind = (enum canary_kind)one_of(state, "kind", text, canary_kind_name, CANARY_KINDS);
        return 0;
    case ARG_IMAGES:
        o->images = text;
        return 0;
    case ARG_LABELS:
        o->labels = text;
        return 0;
    case ARG_GUESSES:
        o->guesses = option_count(state, "guesses", text, 2, CANARIES_MAX);
        o->guessing = true;
        return 0;
    case ARG_METHOD:
        o->method =
            (enum canary_method)one_of(state, "method", text, canary_method_name, CANARY_METHODS);
        return 0;
    case ARG_PUBLIC:
        o->public = true;
        return 0;
    case ARG_LEDGER:
        o->site = text;
        return 0;
    case ARG_SEED:
        o->seed = (uint64_t)option_number(state, "seed", text, 0, 0x1p53);
        o->seeded = true;
        return 0;
    case ARG_THREADS:
        o->threads = option_count(state, "threads", text, 1, CREW_MAX);
        return 0;
    case ARG_CONFIDENCE:
        o->confidence = option_number(state, "confidence", text, 0.5, 0.999999);
        return 0;
    case ARG_FORMAT:
        o->json = option_json(state, text);
        return 0;
    case ARG_OUT:
        o->folder = text;
        return 0;
    case ARGP_KEY_END:
        end_of_arguments(o, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
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
    static const struct argp_option options[] = {
        {"study", 's', "FILE", 0, "The study file; its sites are played", 0},
        {"backbone", ARG_BACKBONE, "FILE", 0, "Frozen weights, where the study has a rank", 0},
        {"partition", ARG_PARTITION, "NAME", 0, "Whose records are which: " SPLIT_NAMES " (iid)",
         0},
        {NULL, 0, NULL, 0, "The canaries, and what is guessed of them:", 2},
        {"canaries", ARG_CANARIES, "M", 0, "How many there are (1000)", 2},
        {"kind", ARG_KIND, "NAME", 0,
         "random: pixels and label by chance, nobody's; mislabelled, with --public: held-out "
         "records "
         "with another label (random)",
         2},
        {"canary-images", ARG_IMAGES, "FILE", 0, "Canaries from an idx file, the first M; nobody's",
         2},
        {"canary-labels", ARG_LABELS, "FILE", 0, "and their labels", 2},
        {"guesses", ARG_GUESSES, "R", 0, "Guessed in or out, half each (a quarter of M)", 2},
        {"method", ARG_METHOD, "NAME", 0,
         "The bound that the verdict is about: one-run, for every mechanism, or one-run-fdp, for "
         "Gaussian-like ones (one-run)",
         2},
        {"confidence", ARG_CONFIDENCE, "P", 0, "Of the bound (0.95)", 2},
        {NULL, 0, NULL, 0, "Who pays:", 3},
        {"ledger", ARG_LEDGER, "DIR", 0,
         "A site's folder: the ledger that its policy names is charged what the study costs its "
         "patients, before it begins",
         3},
        {"public", ARG_PUBLIC, NULL, 0, "The records are public or synthetic: nothing is charged",
         3},
        {"seed", ARG_SEED, "N", 0, "Of everything that is drawn; with --public (the system's)", 3},
        {NULL, 0, NULL, 0, "Running and reporting:", 4},
        {"threads", ARG_THREADS, "N", 0, "Sites that work at a time (one per processor)", 4},
        {"format", ARG_FORMAT, "FORMAT", 0, "text or json (text)", 4},
        {"out", ARG_OUT, "DIR", 0, "Also write canary.json and canary-scores.csv there", 4},
        {0}};
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
    const struct argp argp = {
        .options = options, .parser = parse, .doc = doc, .children = corpus_options};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &audit.options);
    command_catch_stop();
    enum exit_code code = canary_prepare(&audit);
    if (code == EXIT_OK) code = canary_run(&audit);
    if (code == EXIT_OK) code = canary_report(&audit);
    audit_free(&audit);
    return code;
}
