/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab audit mechanism: one release of a study, attacked with canaries. */
#include "lab/audit_mechanism.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/option.h"
#include "lab/audit.h"
#include "lab/courier.h"

/* Of a patient's study: so many canaries in each round, nearly; of sites there are few. */
#define COORDINATES_PATIENT 2048u
#define COORDINATES_SITE 64u
#define REPETITIONS_MOST 10000

static void check(void *values, struct argp_state *state)
{
    struct mechanism_audit *a = values;
    if (a->method == METHOD_COUNT) a->method = a->sampled ? METHOD_RATE : METHOD_GDP;
    if (a->method == (a->sampled ? METHOD_GDP : METHOD_RATE))
        argp_error(state, "--method %s is for records that are %s", trial_method_name(a->method),
                   a->sampled ? "not sampled: rate or clopper-pearson" : "--sampled");
}

/* --- one audit ---------------------------------------------------------------------------------
 */

static enum exit_code refuse(const struct mechanism_audit *a, enum status status,
                             const struct settings_error *why)
{
    if (status == STATUS_QUORUM)
        fprintf(stderr, "%s: a round was not opened\n", a->path);
    else if (why->line > 0)
        fprintf(stderr, "%s:%u: %s\n", a->path, why->line, why->text);
    else
        fprintf(stderr, "%s: %s\n", a->path,
                why->text[0] != '\0' ? why->text : status_text(status));
    return status == STATUS_RANGE || status == STATUS_FORMAT ? EXIT_REFUSED : EXIT_FAILED;
}

/* What a booth is: the same in every repetition. */
static void describe(struct mechanism_audit *a, const struct booth *booth)
{
    a->n_canaries = booth->n_canaries;
    a->n_idle = booth->n_idle;
    a->width = booth->width;
    a->n = booth->n;
    a->honest = booth->honest;
    a->colluding = booth->plan.params.c;
}

/* Whether so many trials, and idle directions beside them, are more than bounds are made of. */
static bool is_too_many(uint32_t trials, const struct booth *booth)
{
    const uint64_t k = booth->n_canaries, rounds = (trials + k - 1) / k;
    return rounds * (k + booth->n_idle) > TAIL_COUNT_MAX;
}

static enum status play(struct mechanism_audit *a, struct booth *booth, struct settings_error *why)
{
    TRY(trial_claim_of(&a->claim, booth, a->confidence));
    describe(a, booth);
    uint32_t n = a->trials_asked;
    if (n == 0) TRY(trial_count_for(&n, a->method, &a->claim, booth->n_canaries));
    if (is_too_many(n, booth)) {
        (void)snprintf(
            why->text, sizeof why->text,
            "%u trials, %u in a round beside %u idle directions, are more than %u scores: "
            "fewer --trials, or fewer --coordinates",
            n, booth->n_canaries, booth->n_idle, TAIL_COUNT_MAX);
        return STATUS_RANGE;
    }
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
    enum status status = booth_open(&booth, &a->study, settings, why);
    if (status == STATUS_OK) status = play(a, &booth, why);
    if (status == STATUS_IO)
        (void)snprintf(why->text, sizeof why->text, "%s",
                       booth.courier == NULL ? COURIER_NO_SOCKETS : courier_trouble(booth.courier));
    return status;
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
    const char *method[METHOD_RATE + 1];
    for (enum trial_method m = METHOD_GDP; m <= METHOD_RATE; m++) method[m] = trial_method_name(m);
    const struct option_row row[] = {
        option_study(&a.path, "The study file"),
        {"trials", "N", "Canaries in all (as many as show most of the claim)",
         .count = &a.trials_asked, .least = 64, .most = TAIL_COUNT_MAX},
        {"method", "NAME",
         "Of the headline: gdp, clopper-pearson or rate (gdp; with --sampled rate)",
         .choice = &a.method, OPTION_AMONG(method)},
        {"confidence", "P", "Of every bound (0.95)", .number = &a.confidence, .least = 0.5,
         .most = 0.999999},
        {"sampled", NULL, "Let sites draw their records, and audit the claim that counts on it",
         .given = &a.sampled},
        {"coordinates", "D", "Length of the audited vector (2048; site: 64)",
         .count = &a.booth.coordinates, .least = BOOTH_COORDINATES_MIN,
         .most = BOOTH_COORDINATES_MAX},
        {"repetitions", "R",
         "Repeat the audit, and compare how often it contradicts the claim with its confidence (1)",
         .count = &a.repetitions, .least = 1, .most = REPETITIONS_MOST},
        {"seed", "N", "Replay all chance from a number (from the system)", .given = &a.booth.seeded,
         .seed = &a.booth.seed},
        option_out(&a.folder, "DIR", "Write DIR/mechanism.json and tables"),
        {"real", .help = COURIER_OPTION_HELP, .given = &a.booth.real},
        option_format(&a.json),
        {0}};
    option_read(&(struct option_table){.row = row, .doc = doc, .check = check, .values = &a}, argc,
                argv);
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
