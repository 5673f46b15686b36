/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab audit inversion: arguments, data, order of things. */
#include "lab/audit_inversion.h"

#include <math.h>
#include <stdio.h>

#include "base/crew.h"
#include "base/option.h"
#include "client/data/records.h"
#include "lab/audit.h"
#include "lab/courier.h"
#include "lab/shapes.h"

/* Records that are drawn when none are named. */
#define SHAPES_MAX 20000.0
/* Milliseconds between two lines of progress. */
#define TELL_MS 5000

struct arguments {
    struct inversion_options options;
    struct records records;
    const char *out;
    bool json;
};

static void check(void *values, struct argp_state *state)
{
    const struct arguments *a = values;
    const char *wrong = records_named(&a->records) ? records_usage(&a->records) : NULL;
    if (wrong != NULL) argp_error(state, "%s", wrong);
}

/* What is named; else shapes, as many as the study takes. */
static enum status read_data(struct dataset *out, struct arguments *a,
                             const struct inversion *inversion, struct data_error *why)
{
    const struct study *study = &inversion->study;
    AUTO(dataset_free) struct dataset held = {0};
    if (records_named(&a->records)) {
        records_fit(&a->records, &study->model.spec);
        return records_read(out, &held, &a->records, why);
    }
    struct rng rng = {0};
    rng_numbered(&rng, a->options.seed);
    const double n = (double)inversion_least(inversion) +
                     (double)INVERSION_OTHERS * a->options.rounds +
                     fmin((double)inversion_records(inversion) * study->sites.expected, SHAPES_MAX);
    const enum status status = shapes_draw(out, &study->model.spec, (size_t)n, &rng);
    if (status != STATUS_OK) (void)snprintf(why->text, sizeof why->text, "%s", status_text(status));
    return status;
}

static void tell(const struct inversion *inversion)
{
    static uint64_t told;
    const uint64_t now = command_now_ms();
    if (told == 0) told = now;
    if (now - told < TELL_MS) return;
    told = now;
    fprintf(stderr, "inversion: %u of %u rounds are attacked\n", inversion->rounds,
            inversion->options.rounds);
}

static enum exit_code run(struct inversion *inversion, struct arguments *a)
{
    struct data_error why = {{0}};
    AUTO(dataset_free) struct dataset data = {0};
    enum exit_code code = inversion_open(inversion, &a->options);
    if (code == EXIT_OK && read_data(&data, a, inversion, &why) != STATUS_OK) {
        fprintf(stderr, "audit inversion: %s\n", why.text);
        return EXIT_DATA;
    }
    if (code == EXIT_OK) code = inversion_run(inversion, &data);
    if (code != EXIT_OK) {
        fprintf(stderr, "audit inversion: %s\n", inversion->why);
        return code;
    }
    return audit_inversion_report(inversion, a->json, a->out);
}

enum exit_code audit_inversion(int argc, char **argv)
{
    static const struct argp_child children[] = {
        {&records_argp, 0, "The records (drawn shapes):", 1}, {0}};
    static const char doc[] =
        "Try to make pictures of a site's records from what the site sends: from its plain update, "
        "which never leaves it; from the masked update; from the update with its noise alone, as "
        "if "
        "all other sites conspired; and from the opened sum. The study is played in this process, "
        "with the programs' own code.\v"
        "Exit codes: 0 pass or inconclusive; 6 a protected stage gives pictures away; 7 the data; "
        "5 the study; 1 otherwise.\n\n"
        "Examples:\n"
        "  veilsum-lab audit inversion --study study.yaml --out audit/\n"
        "  veilsum-lab audit inversion --study study.yaml --npz pneumoniamnist.npz --batch 1\n";
    static struct inversion inversion; /* large */
    struct arguments a = {.options = {.seed = 1,
                                      .batch = 4,
                                      .rounds = 8,
                                      .steps = 400,
                                      .threads = command_threads(CREW_MAX),
                                      .tell = tell}};
    struct inversion_options *o = &a.options;
    const struct option_row row[] = {
        option_study(&o->study, "The study file; its sites.expected sites are played"),
        {"batch", "N", "Records that the attacked site's update is made of, on average (4)",
         .count = &o->batch, .least = 1, .most = 1000},
        {"rounds", "N", "Training rounds to attack, at most (8)", .count = &o->rounds, .least = 1,
         .most = 1000},
        {"steps", "N", "Of the search for pictures, CNN and TwoCNN only (400)", .count = &o->steps,
         .least = 1, .most = 100000},
        option_seed(&o->seed, "Of everything that is drawn (1)"),
        option_threads(&o->threads, CREW_MAX, "Sites that work at a time (one per processor)"),
        option_out(&a.out, "DIR", "Write inversion.json, inversion.csv and pictures there"),
        {"real", .help = COURIER_OPTION_HELP, .given = &a.options.real},
        option_format(&a.json),
        {0}};
    option_read(&(struct option_table){.row = row,
                                       .doc = doc,
                                       .children = children,
                                       .further = &a.records,
                                       .check = check,
                                       .values = &a},
                argc, argv);
    command_catch_stop();
    const enum exit_code code = run(&inversion, &a);
    inversion_free(&inversion);
    return code;
}
