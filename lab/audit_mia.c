/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab audit mia: arguments, order of things, cleaning up. */
#include "lab/audit_mia.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "lab/audit.h"
#include "lab/option.h"

#define REFERENCES_MAX 512

enum {
    ARG_BACKBONE = 256,
    ARG_PARTITION,
    ARG_REFERENCES,
    ARG_BY,
    ARG_RECORDS,
    ARG_SEED,
    ARG_THREADS,
    ARG_CONFIDENCE,
    ARG_FORMAT,
    ARG_OUT
};

static bool is_federated(struct argp_state *state, const char *text)
{
    const bool federated = strcmp(text, "federated") == 0;
    if (!federated && strcmp(text, "centralised") != 0)
        argp_error(state, "--references-by %s: it is centralised or federated", text);
    return federated;
}

static void end_of_arguments(struct mia_options *o, struct argp_state *state)
{
    const struct records *r = &o->corpus;
    const char *wrong = !records_named(r)  ? NULL
                        : o->model != NULL ? corpus_usage(r)
                                           : records_usage(r);
    if (wrong != NULL) argp_error(state, "%s", wrong);
    if (o->study == NULL) argp_error(state, "--study is needed");
    if (o->references % 2 != 0)
        argp_error(state, "--references %u: it is even, for each two are trained on two halves",
                   o->references);
    o->split = option_split(state, o->partition);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct mia_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->corpus;
        return 0;
    case 's':
        o->study = text;
        return 0;
    case 'm':
        o->model = text;
        return 0;
    case ARG_BACKBONE:
        o->backbone = text;
        return 0;
    case ARG_PARTITION:
        o->partition = text;
        return 0;
    case ARG_REFERENCES:
        o->references = option_count(state, "references", text, 4, REFERENCES_MAX);
        return 0;
    case ARG_BY:
        o->federated = is_federated(state, text);
        return 0;
    case ARG_RECORDS:
        o->records = option_count(state, "records", text, 2, DATA_RECORDS_MAX);
        return 0;
    case ARG_SEED:
        o->seed = (uint64_t)option_number(state, "seed", text, 0, 0x1p53);
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

static void mia_free(struct mia *mia)
{
    subject_free(&mia->subject);
    local_free(&mia->pool);
    free(mia->member);
    state_free(&mia->target);
    membership_free(&mia->margins);
    for (enum mia_attack a = 0; a < MIA_ATTACKS; a++) free(mia->outcome[a].score);
}

enum exit_code audit_mia(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"study", 's', "FILE", 0, "The study file", 0},
        {"model", 'm', "FILE", 0,
         "The model that is attacked, a state file or .safetensors: it was trained on the records, "
         "and not on those held out (trained here by the study, on each record by a fair coin)",
         0},
        {"backbone", ARG_BACKBONE, "FILE", 0, "Frozen weights, where the study has a rank", 0},
        {"partition", ARG_PARTITION, "NAME", 0,
         "Of a study that is played: whose records are which: " SPLIT_NAMES " (iid)", 0},
        {"records", ARG_RECORDS, "N", 0,
         "At most N members and about as many others, by chance (all)", 0},
        {"references", ARG_REFERENCES, "K", 0, "Models to compare with, an even number (16)", 0},
        {"references-by", ARG_BY, "NAME", 0,
         "centralised: by one party, without noise and pruning; federated: each by the whole study "
         "(centralised)",
         0},
        {"seed", ARG_SEED, "N", 0, "Of everything that is drawn (1)", 0},
        {"threads", ARG_THREADS, "N", 0, "Models trained at a time (one per processor)", 0},
        {"confidence", ARG_CONFIDENCE, "P", 0, "Of limits and bounds (0.95)", 0},
        {"format", ARG_FORMAT, "FORMAT", 0, "text or json (text)", 0},
        {"out", ARG_OUT, "DIR", 0, "Also write mia.json, mia-roc.csv and mia-points.csv there", 0},
        {0}};
    static const char doc[] =
        "Attack a model by membership inference: LiRA and RMIA, both offline, tell the records "
        "that "
        "it was trained on from others by comparing it with references trained on random halves of "
        "all of them.\v"
        "The outcome is computed from the records, without noise: it is for those who may see "
        "them. RMIA is the attack that the verdict is about; decide on everything else before you "
        "see a result.\n\n"
        "Exit codes: 0 nothing refutes the study's epsilon; 6 something does; 7 the data; 1 "
        "otherwise.\n\n"
        "Examples:\n"
        "  veilsum-lab audit mia --study study.yaml --npz pneumoniamnist.npz --out audit\n"
        "  veilsum-lab audit mia --study study.yaml --model final.state --images m.images.gz "
        "--labels m.labels.gz \\\n      --holdout-images n.images.gz --holdout-labels n.labels.gz "
        "--references 64\n";
    static struct mia mia; /* large */
    mia.options = (struct mia_options){.partition = "iid",
                                       .references = 16,
                                       .seed = 1,
                                       .threads = command_threads(CREW_MAX),
                                       .confidence = 0.95};
    const struct argp argp = {
        .options = options, .parser = parse, .doc = doc, .children = corpus_options};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &mia.options);
    command_catch_stop();
    enum exit_code code = mia_prepare(&mia);
    if (code == EXIT_OK) code = mia_run(&mia);
    if (code == EXIT_OK) code = mia_report(&mia);
    mia_free(&mia);
    return code;
}
