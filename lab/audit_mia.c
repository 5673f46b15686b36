/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab audit mia: arguments, order of things, cleaning up. */
#include "lab/audit_mia.h"

#include <stdlib.h>

#include "base/crew.h"
#include "base/option.h"
#include "lab/audit.h"
#include "lab/courier.h"

#define REFERENCES_MAX 512

static void check(void *values, struct argp_state *state)
{
    struct mia_options *o = values;
    const struct records *r = &o->corpus;
    const char *wrong = !records_named(r)  ? NULL
                        : o->model != NULL ? corpus_usage(r)
                                           : records_usage(r);
    if (wrong != NULL) argp_error(state, "%s", wrong);
    if (o->real && o->model != NULL && !o->federated)
        argp_error(state, "--real is for studies that are played, and with --model and centralised "
                          "references none is");
    if (o->references % 2 != 0)
        argp_error(state, "--references %u: it is even, for each two are trained on two halves",
                   o->references);
    o->split = corpus_split(state, o->partition);
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
    static const char *const by[] = {"centralised", "federated"};
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
    struct mia_options *o = &mia.options;
    const struct option_row row[] = {
        option_study(&o->study, "The study file"),
        {"model", "FILE",
         "The model that is attacked, a state file or .safetensors: it was trained on the records, "
         "and not on those held out (trained here by the study, on each record by a fair coin)",
         'm', .text = &o->model},
        {"backbone", "FILE", "Frozen weights, where the study has a rank", .text = &o->backbone},
        {"partition", "NAME",
         "Of a study that is played: whose records are which: " SPLIT_NAMES " (iid)",
         .text = &o->partition},
        {"records", "N", "At most N members and about as many others, by chance (all)",
         .count = &o->records, .least = 2, .most = DATA_RECORDS_MAX},
        {"references", "K", "Models to compare with, an even number (16)", .count = &o->references,
         .least = 4, .most = REFERENCES_MAX},
        {"references-by", "NAME",
         "centralised: by one party, without noise and pruning; federated: each by the whole study "
         "(centralised)",
         .second = &o->federated, OPTION_AMONG(by)},
        option_seed(&o->seed, "Of everything that is drawn (1)"),
        option_threads(&o->threads, CREW_MAX, "Models trained at a time (one per processor)"),
        {"confidence", "P", "Of limits and bounds (0.95)", .number = &o->confidence, .least = 0.5,
         .most = 0.999999},
        {"real", .help = COURIER_OPTION_HELP, .given = &o->real},
        option_format(&o->json),
        option_out(&o->folder, "DIR", "Also write mia.json, mia-roc.csv and mia-points.csv there"),
        {0}};
    option_read(&(struct option_table){.row = row,
                                       .doc = doc,
                                       .children = corpus_options,
                                       .further = &o->corpus,
                                       .check = check,
                                       .values = o},
                argc, argv);
    command_catch_stop();
    enum exit_code code = mia_prepare(&mia);
    if (code == EXIT_OK) code = mia_run(&mia);
    if (code == EXIT_OK) code = mia_report(&mia);
    mia_free(&mia);
    return code;
}
