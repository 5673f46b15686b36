/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict of veilsum-lab audit mechanism, for people and programs, and its tables. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "lab/audit_mechanism.h"
#include "lab/verdict.h"
#include "protocol/books.h"

/* Noise so many times too small must be caught by an audit that passes. */
#define POWER_NEEDED 2.0
/* A bound below this part of what an honest mechanism gives: the canaries did not arrive. */
#define BLIND 0.5
/* Repetitions fail when an honest mechanism does so with a smaller chance. */
#define FALSE_ALARM 1e-6
/* Bars of the picture of the scores. */
#define BARS 80

struct judgement {
    uint32_t above; /* repetitions with a bound above the claim */
    double chance;  /* that an honest mechanism has as many */
    enum finding finding;
};

/* --- the verdict -------------------------------------------------------------------------------
 */

static struct judgement judge(const struct mechanism_audit *a)
{
    const struct trial_claim *claim = &a->claim;
    const double bound = a->bound[a->method].epsilon, rate = 1 - a->confidence;
    struct judgement j = {.chance = 1};
    for (uint32_t i = 0; i < a->repetitions; i++) j.above += a->repeated[i] > claim->epsilon;
    if (j.above > 0) j.chance = exp(tail_binomial(a->repetitions, j.above, log(rate / (1 - rate))));
    const bool refuted = a->repetitions > 1 ? j.chance < FALSE_ALARM : bound > claim->epsilon;
    const bool weak = a->power > (a->sampled ? 1 : POWER_NEEDED) || bound < BLIND * a->expected;
    j.finding = refuted ? FINDING_FAIL : weak ? FINDING_OPEN : FINDING_PASS;
    return j;
}

/* Rounded down, so that "%.4f" never shows more than is proved. */
static double shown(const struct mechanism_audit *a)
{
    return floor(a->bound[a->method].epsilon * 1e4) / 1e4;
}

static void say_pass(char *out, size_t n, const struct mechanism_audit *a)
{
    char caught[128];
    if (a->sampled)
        (void)snprintf(caught, sizeof caught,
                       "Records that are drawn at a rate of %.4g instead of %.4g", a->power,
                       a->claim.sampling);
    else
        (void)snprintf(caught, sizeof caught, "Noise that is %.3f times too small", a->power);
    (void)snprintf(out, n,
                   "The attack proves epsilon %.4f of the %.4f that are claimed for one release, "
                   "and nothing above it. %s would have been caught.",
                   shown(a), account_rounded(a->claim.epsilon), caught);
}

static void say_open(char *out, size_t n, const struct mechanism_audit *a)
{
    if (a->bound[a->method].epsilon < BLIND * a->expected)
        (void)snprintf(out, n,
                       "The attack proves epsilon %.4f where an honest build gives about %.4f: "
                       "less of the canaries arrived than should, and the audit shows nothing.",
                       shown(a), a->expected);
    else
        (void)snprintf(out, n, "%u trials are too few to catch %s: take more with --trials.",
                       a->trials.n,
                       a->sampled ? "a build that draws the same records every time"
                                  : "a build with half of the noise");
}

static void say(char *out, size_t n, const struct mechanism_audit *a, const struct judgement *j)
{
    if (a->repetitions > 1)
        (void)snprintf(out, n,
                       "In %u of %u repetitions the bound is above the claim of %.4f; of an honest "
                       "build at most %.3g of all are, and so many or more come with a chance of "
                       "at most %.2g.",
                       j->above, a->repetitions, account_rounded(a->claim.epsilon),
                       1 - a->confidence, j->chance);
    else if (j->finding == FINDING_FAIL)
        (void)snprintf(out, n,
                       "The attack proves epsilon %.4f, more than the %.4f that are claimed for "
                       "one release. An honest build fails like this in at most %.3g of audits.",
                       shown(a), account_rounded(a->claim.epsilon), 1 - a->confidence);
    else if (j->finding == FINDING_PASS)
        say_pass(out, n, a);
    else
        say_open(out, n, a);
}

/* --- the document ------------------------------------------------------------------------------
 */

static const char *const score_name[SCORE_COUNT] = {
    [SCORE_SUM] = "the sum",
    [SCORE_DIFFERENCE] = "the sum less an earlier one",
    [SCORE_ALIKE] = "the sum less a colluding site's noise for every site"};

static json_t *bound_json(const struct mechanism_audit *a, enum trial_method method)
{
    const struct trial_bound *b = &a->bound[method];
    json_t *row = json_pack("{s:s, s:f, s:s, s:b}", "method", trial_method_name(method),
                            "epsilon_lower_bound", b->epsilon, "holds_for",
                            trial_method_holds(method), "headline", method == a->method);
    if (b->run.canaries > 0)
        (void)json_object_update_new(
            row, json_pack("{s:i, s:i, s:i}", "canaries", (int)b->run.canaries, "guesses",
                           (int)b->run.guesses, "correct", (int)b->run.correct));
    else
        (void)json_object_update_new(
            row, json_pack("{s:i, s:i, s:i, s:i, s:s}", "false_positives",
                           (int)b->trials.false_positives, "negatives", (int)b->trials.negatives,
                           "false_negatives", (int)b->trials.false_negatives, "positives",
                           (int)b->trials.positives, "score", score_name[b->score]));
    if (method == METHOD_RATE)
        (void)json_object_set_new(row, "rate_lower_bound", json_real(b->rate));
    return row;
}

static json_t *details(const struct mechanism_audit *a, const struct judgement *j)
{
    json_t *bounds = json_array(), *repeated = json_array();
    for (enum trial_method m = 0; m < METHOD_COUNT; m++)
        if (a->shown[m]) (void)json_array_append_new(bounds, bound_json(a, m));
    for (uint32_t i = 0; i < a->repetitions; i++)
        (void)json_array_append_new(repeated, json_real(a->repeated[i]));
    const struct release *r = &a->claim.release;
    json_t *d =
        json_pack("{s:o, s:i, s:i, s:i, s:i, s:i, s:b, s:o, s:o}", "bounds", bounds, "trials",
                  (int)a->trials.n, "rounds", (int)a->rounds, "canaries_per_round",
                  (int)a->n_canaries, "idle_directions", (int)a->n_idle, "canary_coordinates",
                  (int)a->width, "real", (int)a->booth.real, "seed",
                  a->booth.seeded ? json_integer((json_int_t)a->booth.seed) : json_null(),
                  "repeated_bounds", repeated);
    if (d == NULL) return NULL;
    (void)json_object_update_new(
        d, json_pack("{s:s, s:i, s:i, s:i, s:i, s:I, s:I, s:f, s:f}", "study", a->study.study.id,
                     "sites", (int)a->n, "silent_sites", (int)(a->n - a->honest - a->colluding),
                     "colluding_sites", (int)a->colluding, "noise_shares", (int)r->n_shares,
                     "sigma", (json_int_t)r->sigma, "norm2", (json_int_t)r->norm2, "sampling",
                     r->sampling, "claim_by_account", account_rounded(a->claim.epsilon_account)));
    (void)json_object_update_new(d,
                                 json_pack("{s:o, s:f, s:i, s:f}", "smallest_violation_caught",
                                           isfinite(a->power) ? json_real(a->power) : json_null(),
                                           "expected_lower_bound", a->expected, "repetitions_above",
                                           (int)j->above, "repetitions_chance", j->chance));
    return d;
}

/* --- tables ------------------------------------------------------------------------------------
 */

static bool write_table(const char *folder, const char *name, const char *text)
{
    char path[FILE_PATH_MAX];
    const struct view bytes = {(const uint8_t *)text, strlen(text)};
    (void)mkdir(folder, 0777); /* file_write says if there is none */
    if (file_path(path, sizeof path, folder, name) == STATUS_OK &&
        file_write(path, bytes, 0644) == STATUS_OK)
        return true;
    fprintf(stderr, "cannot write %s/%s: is there such a folder, and room on its disk?\n", folder,
            name);
    return false;
}

static bool write_bounds(const struct mechanism_audit *a)
{
    char text[1024] = "method,epsilon_lower_bound,headline,claim\n";
    size_t used = strlen(text);
    for (enum trial_method m = 0; m < METHOD_COUNT; m++)
        if (a->shown[m])
            used += (size_t)snprintf(text + used, sizeof text - used, "%s,%.8f,%d,%.4f\n",
                                     trial_method_name(m), a->bound[m].epsilon, m == a->method,
                                     account_rounded(a->claim.epsilon));
    return write_table(a->folder, "mechanism-bounds.csv", text);
}

/* How the scores of canaries that were out and in are spread, in units of the noise. */
static bool write_scores(const struct mechanism_audit *a)
{
    const double noise = a->claim.noise;
    const double from = -4, step = (a->claim.mu + 8) / BARS;
    uint32_t bar[BARS][2] = {{0}};
    for (uint32_t i = 0; i < a->trials.n; i++) {
        const double at = (a->trials.score[SCORE_SUM][i] / noise - from) / step;
        if (at >= 0 && at < BARS) bar[(size_t)at][a->trials.included[i]]++;
    }
    char text[BARS * 48] = "score,out,in\n";
    size_t used = strlen(text);
    for (size_t i = 0; i < BARS; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%.4f,%u,%u\n",
                                 from + ((double)i + 0.5) * step, bar[i][0], bar[i][1]);
    return write_table(a->folder, "mechanism-scores.csv", text);
}

/* --- for people --------------------------------------------------------------------------------
 */

static void print_tables(const struct mechanism_audit *a)
{
    printf("study %s: %u sites, %u of them colluding and %u silent; noise of %u sites is unknown\n"
           "%u trials in %u rounds, %u canaries and %u idle directions in each; the mechanism's "
           "settings are the study's,\nthe vector of %u coordinates is the audit's; messages went "
           "through %s\n\n",
           a->study.study.id, a->n, a->colluding, a->n - a->honest - a->colluding,
           a->claim.release.n_shares, a->trials.n, a->rounds, a->n_canaries, a->n_idle,
           a->booth.coordinates, a->booth.real ? "the programs' transport on 127.0.0.1" : "memory");
    printf("%-16s %12s  %-9s %s\n", "lower bound by", "epsilon >=", "", "holds for");
    for (enum trial_method m = 0; m < METHOD_COUNT; m++)
        if (a->shown[m])
            printf("%-16s %12.4f  %-9s %s\n", trial_method_name(m),
                   floor(a->bound[m].epsilon * 1e4) / 1e4, m == a->method ? "headline" : "",
                   trial_method_holds(m));
}

static const char *const shows[] = {
    "through encoder, clip, rounding, noise, pads, protocol and unmasking of this build, at the "
    "study's sites, threshold, colluding sites, noise multiplier, clip, ring and rounding, the "
    "opened sums tell at least as much as the lower bound says",
    "that is for the release of one training round, with as many sites silent as the study allows "
    "for",
    NULL};
#define IN_ANY_CASE                                                                                \
    "that epsilon is as small as claimed: a stronger attack might prove more, up to the claim",    \
        "anything about the study's own model and data: the vector and its gradients are the "     \
        "audit's",                                                                                 \
        "all rounds together: how releases add up is a theorem, and veilsum-lab dp computes it",   \
        "that canaries of one round are independent trials: they are if the noise of coordinates " \
        "is, which all methods but one-run take for granted",                                      \
        "leaks beside the sums: time, sizes of messages, files, other programs on the machine"
static const char *const whole[] = {IN_ANY_CASE, NULL};
static const char *const drawn[] = {
    IN_ANY_CASE, "that records are drawn by chance: here all are, and --sampled audits the draw",
    NULL};
static const char *const sampled[] = {
    IN_ANY_CASE, "that the noise is as planned: the same audit without --sampled tests that", NULL};

enum exit_code mechanism_report(const struct mechanism_audit *audit)
{
    const struct mechanism_audit *a = audit;
    const struct judgement j = judge(a);
    char who[64], silent[96];
    adversary_name(who, sizeof who, a->colluding > 0 ? ADVERSARY_COLLUSION : ADVERSARY_SERVER,
                   a->colluding);
    (void)snprintf(silent, sizeof silent, "%u of %u sites silent", a->n - a->honest - a->colluding,
                   a->n);
    const struct verdict_claim claim = {.epsilon = a->claim.epsilon,
                                        .delta = a->claim.level.delta,
                                        .unit = study_unit_name(a->study.privacy.unit),
                                        .adjacency = "add or remove one",
                                        .adversary = who,
                                        .dropouts = silent};
    const struct verdict_headline headline = {trial_method_name(a->method),
                                              a->bound[a->method].epsilon, a->confidence};
    struct verdict v = {.audit = "mechanism",
                        .finding = j.finding,
                        .claim = &claim,
                        .headline = a->repetitions > 1 ? NULL : &headline,
                        .shows = shows,
                        .does_not_show = a->sampled                      ? sampled
                                         : a->study.privacy.sampling < 1 ? drawn
                                                                         : whole,
                        .details = details(a, &j)};
    say(v.summary, sizeof v.summary, a, &j);
    if (!a->json) print_tables(a);
    const bool written = a->folder == NULL || (write_bounds(a) && write_scores(a));
    const enum exit_code code = verdict_report(&v, a->json, a->folder);
    verdict_free(&v);
    return written ? code : EXIT_FAILED;
}
