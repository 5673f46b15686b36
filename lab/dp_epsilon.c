/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab dp epsilon: what a list of releases costs, by each accountant that can say. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dp/account.h"
#include "dp/gdp.h"
#include "dp/pld.h"
#include "dp/renyi.h"
#include "lab/dp.h"

struct arguments {
    struct mechanism one;
    const char *mechanism, *schedule, *accountant;
    double noise, rho, sampling, delta;
    uint32_t times;
    bool json;
};

static void check(void *values, struct argp_state *state)
{
    struct arguments *a = values;
    if (a->mechanism != NULL && !dp_mechanism_named(&a->one, a->mechanism) &&
        strcmp(a->mechanism, "zcdp") != 0)
        argp_error(state, "--mechanism %s: it is " DP_MECHANISMS ", or zcdp", a->mechanism);
    if (a->delta < 0.0) argp_error(state, "--delta is needed, for example 1e-5");
    if (a->schedule != NULL) {
        if (a->mechanism != NULL || a->noise > 0.0 || a->sampling > 0.0 || a->times > 0)
            argp_error(state, "--schedule holds mechanisms, noise, sampling and compositions: give "
                              "it alone");
        return;
    }
    if (a->mechanism != NULL && strcmp(a->mechanism, "zcdp") == 0) {
        if (a->rho == 0.0 || a->delta == 0.0 || a->noise > 0.0 || a->sampling > 0.0 ||
            a->accountant != NULL)
            argp_error(state, "zcdp needs --rho and a --delta above 0, and takes neither noise, "
                              "sampling nor accountant");
        return;
    }
    if (a->rho > 0.0) argp_error(state, "--rho goes with --mechanism zcdp");
    if (a->mechanism == NULL || a->noise == 0.0)
        argp_error(state, "--mechanism and --noise-multiplier are needed, or --schedule");
    if (strncmp(a->mechanism, "subsampled", 10) == 0 && a->sampling == 0.0)
        argp_error(state, "%s needs --sampling, for example 0.01", a->mechanism);
    a->one.noise = a->noise;
    if (a->sampling > 0.0) a->one.sampling = a->sampling;
    if (a->times > 0) a->one.times = a->times;
}

/* What one accountant says. Approximate: no bound, never a guarantee. */
struct answer {
    const char *name;
    bool known, approximate;
    double epsilon;
};

static struct answer by_rdp(const struct dp_schedule *s, double delta)
{
    struct answer answer = {.name = "rdp"};
    if (delta > 0.0)
        answer.known = renyi_epsilon(&answer.epsilon, s->list, s->n, delta) == STATUS_OK;
    return answer;
}

static struct answer by_pld(const struct dp_schedule *s, double delta)
{
    struct answer answer = {.name = "pld"};
    answer.known = pld_epsilon(&answer.epsilon, s->list, s->n, delta, 2e-8) == STATUS_OK;
    return answer;
}

static struct answer by_gdp(const struct dp_schedule *s, double delta)
{
    struct answer answer = {.name = "gdp", .known = delta > 0.0};
    double mu2 = 0.0;
    for (size_t i = 0; i < s->n; i++) {
        const struct mechanism *m = &s->list[i];
        const bool sampled = m->sampling < 1.0;
        if (m->kind != MECHANISM_GAUSSIAN || (m->replace && sampled)) answer.known = false;
        if (sampled) answer.approximate = true;
        const double scale = m->replace ? 2.0 : 1.0, t = (double)m->times;
        const double mu =
            sampled ? gdp_sampled_mu(m->noise, m->sampling, t) : scale * sqrt(t) / m->noise;
        mu2 += mu * mu;
    }
    /* The root of a rounded sum: raised, so that it stays a bound. */
    if (answer.known) answer.epsilon = gdp_epsilon(sqrt(mu2) * (1.0 + 1e-13), delta);
    return answer;
}

/* The bounds of the literature for whole-number noise, beside our own. */
static struct answer by_published(const struct dp_schedule *s, double delta)
{
    struct answer answer = {.name = "rdp_published", .known = delta > 0.0};
    struct account account = {0};
    for (size_t i = 0; i < s->n; i++) {
        const struct mechanism *m = &s->list[i];
        const double variance = m->noise * m->noise;
        if (m->sampling < 1.0 || (m->kind != MECHANISM_SKELLAM && m->noise < 0.5))
            answer.known = false;
        if (m->kind != MECHANISM_SKELLAM && m->kind != MECHANISM_DISCRETE_GAUSSIAN)
            answer.known = false;
        for (size_t k = 0; k < RDP_ORDERS; k++) {
            const double a = (double)RDP_ORDER[k];
            account.rdp[k] += (double)m->times *
                              (m->kind == MECHANISM_SKELLAM
                                   ? renyi_published_skellam(a, variance, 1.0, 1.0)
                                   : renyi_published_gaussian(a, m->noise, 1.0, 1.0, 1.0, 1.0));
        }
    }
    if (answer.known) answer.epsilon = account_epsilon(&account, delta);
    return answer;
}

#define ANSWERS 4

/* All that was asked for; the index of the tightest guaranteed one, or of the only one. -1: none.
 */
static int ask(struct answer answer[static ANSWERS], const struct arguments *a,
               const struct dp_schedule *s)
{
    const char *want = a->accountant;
    const bool all = want != NULL && strcmp(want, "all") == 0;
    for (int i = 0; i < ANSWERS; i++) answer[i] = (struct answer){0};
    if (want == NULL || all || strcmp(want, "gdp") == 0) answer[0] = by_gdp(s, a->delta);
    const bool exact = answer[0].known && !answer[0].approximate;
    if (want == NULL && !exact) answer[0].known = false;
    if (all || (want == NULL && !exact) || (want != NULL && strcmp(want, "pld") == 0))
        answer[1] = by_pld(s, a->delta);
    if (all || (want == NULL && !exact && !answer[1].known) ||
        (want != NULL && strcmp(want, "rdp") == 0))
        answer[2] = by_rdp(s, a->delta);
    if (all || want == NULL) answer[3] = by_published(s, a->delta);
    int best = -1;
    for (int i = 0; i < ANSWERS; i++) {
        if (!answer[i].known || (all && answer[i].approximate)) continue;
        if (best < 0 || answer[i].epsilon < answer[best].epsilon) best = i;
    }
    return best;
}

static json_t *answers_json(const struct answer answer[static ANSWERS])
{
    json_t *object = json_object();
    for (int i = 0; i < ANSWERS; i++)
        if (answer[i].known)
            (void)json_object_set_new(
                object, answer[i].name,
                json_pack("{s:o, s:b, s:b}", "epsilon", dp_real(answer[i].epsilon), "guaranteed",
                          !answer[i].approximate, "approximate", (int)answer[i].approximate));
    return object;
}

static const char *adjacency(const struct dp_schedule *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].replace != s->list[0].replace) return NULL;
    return s->list[0].replace ? "replace one" : "add or remove one";
}

static enum exit_code report(const struct arguments *a, const struct dp_schedule *s)
{
    if (adjacency(s) == NULL) {
        fprintf(stderr,
                "%s: subsampled-gaussian-wor is about replacing one contribution, the "
                "others about adding or removing one; make two lists\n",
                a->schedule);
        return EXIT_DATA;
    }
    struct answer answer[ANSWERS];
    const int best = ask(answer, a, s);
    if (best < 0) {
        fprintf(stderr, "dp epsilon: this accountant cannot say it for these releases: %s\n",
                a->delta == 0.0
                    ? "at delta 0 only pld answers"
                    : "gdp is for gaussian and subsampled-gaussian alone, and pld needs "
                      "noise multipliers below 1e5; leave --accountant out");
        return EXIT_REFUSED;
    }
    double releases = 0.0;
    for (size_t i = 0; i < s->n; i++) releases += (double)s->list[i].times;
    const struct answer *b = &answer[best];
    if (a->json) {
        json_t *document = json_pack(
            "{s:i, s:o, s:f, s:s, s:b, s:b, s:s, s:s, s:I, s:o}", "schema_version", 1, "epsilon",
            dp_real(b->epsilon), "delta", a->delta, "accountant", b->name, "guaranteed",
            !b->approximate, "approximate", (int)b->approximate, "unit", DP_UNIT, "adjacency",
            adjacency(s), "releases", (json_int_t)releases, "accountants", answers_json(answer));
        if (document != NULL && a->mechanism != NULL)
            (void)json_object_update_new(
                document, json_pack("{s:s, s:f, s:f, s:I}", "mechanism", a->mechanism,
                                    "noise_multiplier", a->noise, "sampling", a->one.sampling,
                                    "compositions", (json_int_t)a->one.times));
        return dp_print_json(document);
    }
    printf("accountant     epsilon      \n");
    for (int i = 0; i < ANSWERS; i++)
        if (answer[i].known)
            printf("%-13s  %-11.4f  %s\n", answer[i].name, account_rounded(answer[i].epsilon),
                   answer[i].approximate
                       ? "approximate: can lie below the truth"
                       : (i == best ? "upper bound, the tightest" : "upper bound"));
    printf("\nepsilon %.4f at delta %g for %.0f release(s)%s\nunit:      %s\nadjacency: %s\n",
           account_rounded(b->epsilon), a->delta, releases,
           b->approximate ? " (APPROXIMATE, no guarantee)" : "", DP_UNIT, adjacency(s));
    return EXIT_OK;
}

/* Of a mechanism nothing but rho may be known; that is a curve, and whole lists of them add up. */
static enum exit_code report_zcdp(const struct arguments *a)
{
    const double times = a->times > 0 ? (double)a->times : 1.0;
    const double epsilon = renyi_zcdp_epsilon(a->rho * times, a->delta);
    if (a->json)
        return dp_print_json(
            json_pack("{s:i, s:f, s:f, s:s, s:b, s:b, s:s, s:s, s:s, s:f, s:I}", "schema_version",
                      1, "epsilon", epsilon, "delta", a->delta, "accountant", "rdp", "guaranteed",
                      1, "approximate", 0, "unit", DP_UNIT, "adjacency", "that of rho", "mechanism",
                      a->mechanism, "rho", a->rho, "compositions", (json_int_t)times));
    printf("epsilon %.4f at delta %g for %.0f release(s) of %g-zCDP, upper bound\nunit:      %s\n"
           "adjacency: that of rho\n",
           account_rounded(epsilon), a->delta, times, a->rho, DP_UNIT);
    return EXIT_OK;
}

enum exit_code dp_epsilon_command(int argc, char **argv)
{
    static const char *const accountant[] = {"rdp", "pld", "gdp", "all"};
    static const char doc[] =
        "Say what a list of releases, fixed in advance, costs in privacy.\v"
        "Examples:\n"
        "  veilsum-lab dp epsilon --mechanism gaussian --noise-multiplier 4 --compositions 30 "
        "--delta 1e-5\n"
        "  veilsum-lab dp epsilon --mechanism skellam --noise-multiplier 10 --delta 1e-5 "
        "--format json\n"
        "  veilsum-lab dp epsilon --mechanism zcdp --rho 0.1 --compositions 5 --delta 1e-6\n"
        "  veilsum-lab dp epsilon --schedule releases.csv --delta 1e-6 --accountant all\n\n"
        "`veilsum-lab dp --help` explains the words.\n";
    struct arguments a = {.delta = -1.0};
    const struct option_row row[] = {
        {"mechanism", "NAME", "One of: " DP_MECHANISMS ", or zcdp", .text = &a.mechanism},
        {"noise-multiplier", "Z",
         "Noise over the largest norm of one contribution; of whole-number noise over a shift by 1",
         .number = &a.noise, .least = MECHANISM_NOISE_MIN, .most = MECHANISM_NOISE_MAX},
        {"rho", "R", "Of zcdp: what is known of a mechanism, instead of its noise",
         .number = &a.rho, .least = 1e-12, .most = 1e6},
        {"sampling", "Q", "Chance that a contribution takes part (1)", .number = &a.sampling,
         .least = 1e-12, .most = 1},
        {"compositions", "T", "Number of releases (1)", .count = &a.times, .least = 1,
         .most = PLD_TIMES_MAX},
        {"schedule", "FILE",
         "Different releases, one a line: mechanism,noise_multiplier,sampling,compositions",
         .text = &a.schedule},
        {"delta", "D", "Chance with which the bound may fail", .number = &a.delta, .most = 0.999},
        {"accountant", "NAME", "rdp, pld, gdp or all (the tightest bound)", .text = &a.accountant,
         OPTION_AMONG(accountant)},
        option_format(&a.json),
        {0}};
    option_read(&(struct option_table){.row = row, .doc = doc, .check = check, .values = &a}, argc,
                argv);
    if (a.rho > 0.0) return report_zcdp(&a);
    if (a.schedule == NULL) return report(&a, &(struct dp_schedule){1, &a.one});
    AUTO(dp_schedule_free) struct dp_schedule schedule = {0};
    const enum exit_code code = dp_schedule_read(&schedule, a.schedule);
    return code == EXIT_OK ? report(&a, &schedule) : code;
}
