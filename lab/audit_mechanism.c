/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab audit mechanism: one release of a study, attacked with canaries. */
#include "lab/audit_mechanism.h"

#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/audit.h"
#include "lab/option.h"

enum {
    ARG_STUDY = 256,
    ARG_TRIALS,
    ARG_METHOD,
    ARG_CONFIDENCE,
    ARG_REPETITIONS,
    ARG_COORDINATES,
    ARG_SAMPLED,
    ARG_SEED,
    ARG_OUT,
    ARG_FORMAT
};

/* Of a patient's study: so many canaries in each round, nearly; of sites there are few. */
#define COORDINATES_PATIENT 2048u
#define COORDINATES_SITE 64u
#define REPETITIONS_MOST 10000

static enum trial_method method_of(struct argp_state *state, const char *text)
{
    for (enum trial_method m = METHOD_GDP; m <= METHOD_RATE; m++)
        if (strcmp(text, trial_method_name(m)) == 0) return m;
    argp_error(state, "--method %s: it is gdp, clopper-pearson or rate", text);
    return METHOD_COUNT;
}

static void end_of_arguments(struct mechanism_audit *a, struct argp_state *state)
{
    if (a->path == NULL) argp_error(state, "--study is needed");
    if (a->method == METHOD_COUNT) a->method = a->sampled ? METHOD_RATE : METHOD_GDP;
    if (a->method == (a->sampled ? METHOD_GDP : METHOD_RATE))
        argp_error(state, "--method %s is for records that are %s", trial_method_name(a->method),
                   a->sampled ? "not sampled: rate or clopper-pearson" : "--sampled");
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct mechanism_audit *a = state->input;
    switch (key) {
    case ARG_STUDY:
        a->path = text;
        return 0;
    case ARG_TRIALS:
        a->trials_asked = option_count(state, "trials", text, 64, TAIL_COUNT_MAX);
        return 0;
    case ARG_METHOD:
        a->method = method_of(state, text);
        return 0;
    case ARG_CONFIDENCE:
        a->confidence = option_number(state, "confidence", text, 0.5, 0.999999);
        return 0;
    case ARG_REPETITIONS:
        a->repetitions = option_count(state, "repetitions", text, 1, REPETITIONS_MOST);
        return 0;
    case ARG_COORDINATES:
        a->booth.coordinates =
            option_count(state, "coordinates", text, BOOTH_COORDINATES_MIN, BOOTH_COORDINATES_MAX);
        return 0;
    case ARG_SAMPLED:
        a->sampled = true;
        return 0;
    case ARG_SEED:
        a->booth.seed = option_seed(state, text);
        a->booth.seeded = true;
        return 0;
    case ARG_OUT:
        a->folder = text;
        return 0;
    case ARG_FORMAT:
        a->json = option_json(state, text);
        return 0;
    case ARGP_KEY_END:
        end_of_arguments(a, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* --- one audit ---------------------------------------------------------------------------------
 */

static enum exit_code refuse(const struct mechanism_audit *a, enum status status,
                             const struct settings_error *why)
{
    if (status == STATUS_QUORUM)
        fprintf(stderr, "%s: a round was not opened\n", a->path);
    else if (why->text[0] != '\0')
        fprintf(stderr, "%s:%u: %s\n", a->path, why->line, why->text);
    else
        fprintf(stderr, "%s: %s\n", a->path, status_text(status));
    return status == STATUS_RANGE || status == STATUS_FORMAT ? EXIT_REFUSED : EXIT_FAILED;
}

/* What a booth is: the same in every repetition. */
static void describe(struct mechanism_audit *a, const struct booth *booth)
{
    a->n_canaries = booth->n_canaries;
    a->width = booth->width;
    a->n = booth->n;
    a->honest = booth->honest;
    a->colluding = booth->plan.params.c;
}

static enum status play(struct mechanism_audit *a, struct booth *booth)
{
    TRY(trial_claim_of(&a->claim, booth, a->confidence));
    describe(a, booth);
    uint32_t n = a->trials_asked;
    if (n == 0) TRY(trial_count_for(&n, a->method, &a->claim, booth->n_canaries));
    trials_free(&a->trials);
    TRY(trial_play(&a->trials, booth, n));
    a->rounds = booth->rounds;
    for (enum trial_method m = 0; m < METHOD_COUNT; m++) {
        a->shown[m] = trial_holds(m, &a->claim);
        if (a->shown[m]) TRY(trial_measure(&a->bound[m], m, &a->trials, &a->claim));
    }
    TRY(trial_power(&a->power, a->method, &a->claim, a->trials.n));
    return trial_expect(&a->expected, a->method, &a->claim, a->claim.mu, a->claim.sampling,
                        a->trials.n, 0);
}

static enum status audit_once(struct mechanism_audit *a, const struct booth_settings *settings,
                              struct settings_error *why)
{
    AUTO(booth_close) struct booth booth = {0};
    TRY(booth_open(&booth, &a->study, settings, why));
    return play(a, &booth);
}

static enum status audit_all(struct mechanism_audit *a, struct settings_error *why)
{
    a->repeated = calloc(a->repetitions, sizeof *a->repeated);
    if (a->repeated == NULL) return STATUS_NOMEM;
    for (uint32_t i = 0; i < a->repetitions; i++) {
        struct booth_settings settings = a->booth;
        settings.sampled = a->sampled;
        settings.seed += i;
        TRY(audit_once(a, &settings, why));
        a->repeated[i] = a->bound[a->method].epsilon;
    }
    return STATUS_OK;
}

static void audit_free(struct mechanism_audit *a)
{
    trials_free(&a->trials);
    free(a->repeated);
}

enum exit_code audit_mechanism(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"study", ARG_STUDY, "FILE", 0, "The study file", 0},
        {"trials", ARG_TRIALS, "N", 0, "Canaries in all (as many as show most of the claim)", 0},
        {"method", ARG_METHOD, "NAME", 0,
         "Of the headline: gdp, clopper-pearson or rate (gdp; with --sampled rate)", 0},
        {"confidence", ARG_CONFIDENCE, "P", 0, "Of every bound (0.95)", 0},
        {"sampled", ARG_SAMPLED, NULL, 0,
         "Let sites draw their records, and audit the claim that counts on it", 0},
        {"coordinates", ARG_COORDINATES, "D", 0, "Length of the audited vector (2048; site: 64)",
         0},
        {"repetitions", ARG_REPETITIONS, "R", 0,
         "Repeat the audit, and compare how often it contradicts the claim with its confidence (1)",
         0},
        {"seed", ARG_SEED, "N", 0, "Replay all chance from a number (from the system)", 0},
        {"out", ARG_OUT, "DIR", 0, "Write DIR/mechanism.json and tables", 0},
        {"format", ARG_FORMAT, "FORMAT", 0, "text or json (text)", 0},
        {0}};
    static const char doc[] =
        "Attack one release of a study with canaries: records that move the sum by all that the "
        "clip allows, in or out by fair coins, through encoder, noise, pads, protocol and "
        "coordinator as they are. How well the sums tell them apart bounds epsilon from below; the "
        "verdict compares that with what is claimed.\v"
        "Exit codes: 0 pass or inconclusive; 6 the claim is refuted; 5 there is nothing to "
        "audit.\n\n"
        "Examples:\n"
        "  veilsum-lab audit mechanism --study study.yaml\n"
        "  veilsum-lab audit mechanism --study study.yaml --sampled --out audit\n"
        "  veilsum-lab audit mechanism --study study.yaml --repetitions 200 --seed 1\n";
    AUTO(audit_free)
    struct mechanism_audit a = {.method = METHOD_COUNT, .confidence = 0.95, .repetitions = 1};
    const struct argp argp = {.options = options, .parser = parse, .doc = doc};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &a);
    struct settings_error why = {0};
    enum status status = study_read(&a.study, a.path, &why);
    if (status == STATUS_OK) {
        const bool patient = a.study.privacy.unit == STUDY_PATIENT;
        if (a.booth.coordinates == 0)
            a.booth.coordinates = patient ? COORDINATES_PATIENT : COORDINATES_SITE;
        status = audit_all(&a, &why);
    }
    return status == STATUS_OK ? mechanism_report(&a) : refuse(&a, status, &why);
}
