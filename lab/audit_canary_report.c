/* SPDX-License-Identifier: Apache-2.0 */
/* What a run with canaries came to: a table, the verdict, the document, and the scores. */
#include <math.h>
#include <stdio.h>

#include "lab/audit_canary.h"
#include "lab/verdict.h"

static const char *const holds_for[CANARY_METHODS] = {
    "every mechanism", "mechanisms that are mu-GDP for some mu, such as Gaussian noise"};

static uint32_t count_included(const struct canary_audit *audit)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < audit->options.canaries; i++) n += audit->included[i];
    return n;
}

static const char *coins_of(const struct canary_audit *audit)
{
    return audit->options.seeded ? "the seed" : "the system's randomness";
}

/* Why it was charged, or not. */
static const char free_of_charge[] =
    "nothing: the records were said to be public, and the noise may be replayed from the seed";
static const char free_of_charge_unseeded[] = "nothing: the records were said to be public";
static const char charged_for[] =
    "all releases of the study, as if its sites had made them: the noise came from the system and "
    "cannot be replayed, what is reported here follows from the released sums, and whoever reads "
    "it "
    "learns less than the coordinator with its colluding sites, against whom it is counted";

static const char *why_charged(const struct canary_audit *audit)
{
    if (audit->options.site != NULL) return charged_for;
    return audit->options.seeded ? free_of_charge : free_of_charge_unseeded;
}

static json_t *charged_json(const struct canary_audit *audit)
{
    const struct charge *charge = &audit->charge;
    if (audit->options.site == NULL)
        return json_pack("{s:f, s:s}", "epsilon", 0.0, "why", why_charged(audit));
    char who[64];
    adversary_name(who, sizeof who, ADVERSARY_COLLUSION, audit->subject.study.sites.colluding);
    return json_pack("{s:f, s:f, s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "epsilon",
                     account_rounded(audit->charged), "delta", audit->subject.study.privacy.delta,
                     "unit", study_unit_name(audit->subject.study.privacy.unit), "adjacency",
                     "add or remove one", "adversary", who, "ledger", charge->path, "data_set",
                     charge->policy.data_set, "releases", (int)charge->reserved, "why",
                     why_charged(audit));
}

/* How many patients there are is theirs, too, and how long the training took goes by it: one more
 * or one fewer is what epsilon hides. */
static json_t *records_json(const struct canary_audit *audit)
{
    const bool secret = audit->options.site != NULL;
    return secret ? json_null() : json_integer((json_int_t)audit->records);
}

static json_t *seconds_json(const struct canary_audit *audit)
{
    const bool secret = audit->options.site != NULL;
    return secret ? json_null() : json_real(audit->seconds);
}

static json_t *bounds_json(const struct canary_audit *audit)
{
    json_t *list = json_array();
    for (enum canary_method m = 0; m < CANARY_METHODS; m++)
        (void)json_array_append_new(
            list,
            json_pack("{s:s, s:f, s:f, s:s, s:b, s:i, s:i, s:i}", "method", canary_method_name[m],
                      "epsilon_lower_bound", audit->bound[m], "confidence",
                      audit->options.confidence, "holds_for", holds_for[m], "headline",
                      m == audit->options.method, "canaries", (int)audit->run.canaries, "guesses",
                      (int)audit->run.guesses, "correct", (int)audit->run.correct));
    return list;
}

static json_t *details_of(const struct canary_audit *audit)
{
    const struct canary_options *o = &audit->options;
    return json_pack(
        "{s:s, s:s, s:i, s:i, s:i, s:i, s:s, s:o, s:b, s:o, s:o, s:o, s:i, s:o}", "study",
        audit->subject.study.study.id, "kind", canary_source(o), "canaries",
        (int)audit->run.canaries, "included", (int)count_included(audit), "guesses",
        (int)audit->run.guesses, "correct", (int)audit->run.correct, "coins_from", coins_of(audit),
        "seed", o->seeded ? json_integer((json_int_t)o->seed) : json_null(), "real", (int)o->real,
        "bounds", bounds_json(audit), "charged", charged_json(audit), "records",
        records_json(audit), "rounds", (int)audit->fleet.rounds, "seconds", seconds_json(audit));
}

static bool write_scores(const struct canary_audit *audit)
{
    FILE *file = subject_file("canary", audit->options.folder, "canary-scores.csv");
    if (file == NULL) return false;
    fprintf(file, "canary,site,included,margin_before,margin_after,score\n");
    for (uint32_t i = 0; i < audit->options.canaries; i++)
        fprintf(file, "%u,%u,%d,%.8g,%.8g,%.8g\n", i, i % audit->fleet.n + 1, audit->included[i],
                audit->before[i], audit->after[i], audit->score[i]);
    return fclose(file) == 0;
}

static void print_table(const struct canary_audit *audit)
{
    const struct canary_options *o = &audit->options;
    const struct bound_run *run = &audit->run;
    printf("%u canaries (%s), %u put in by coins from %s, at %u sites; %u rounds\n", run->canaries,
           canary_source(o), count_included(audit), coins_of(audit), audit->fleet.n,
           audit->fleet.rounds);
    printf("%u guesses, %u of them right: %.1f %%\n\n", run->guesses, run->correct,
           100.0 * run->correct / run->guesses);
    for (enum canary_method m = 0; m < CANARY_METHODS; m++)
        printf("%-12s epsilon >= %.*f  holds for %s%s\n", canary_method_name[m], BOUND_DECIMALS,
               audit->bound[m], holds_for[m], m == o->method ? " (declared)" : "");
    if (o->site == NULL)
        printf("\ncharged %s\n", why_charged(audit));
    else
        printf("\ncharged to %s, data set %s: %u releases, epsilon %.4f at delta %g, unit %s, add "
               "or remove one, against the server and %u colluding, no dropouts\n  %s\n",
               audit->charge.path, audit->charge.policy.data_set, audit->charge.reserved,
               account_rounded(audit->charged), audit->subject.study.privacy.delta,
               study_unit_name(audit->subject.study.privacy.unit),
               audit->subject.study.sites.colluding, why_charged(audit));
}

static const char *const shows[] = {
    "what the final model gives away about records that stand out, in a run of the shipping "
    "programs",
    "the bound holds with the stated confidence whatever the records are: its chance is the coins'",
    NULL};
static const char *const does_not_show[] = {
    "that the claim is true: canaries that are guessed better, or an attack on what the "
    "coordinator "
    "sees, may prove more",
    "what a site or a coordinator does that runs other programs than these",
    "anything about records that do not look like the canaries", NULL};

enum exit_code canary_report(const struct canary_audit *audit)
{
    const struct canary_options *o = &audit->options;
    const struct verdict_headline bound = {.method = canary_method_name[o->method],
                                           .epsilon_lower_bound = audit->bound[o->method],
                                           .confidence = o->confidence};
    AUTO(verdict_free)
    struct verdict v = {.audit = "canary",
                        .headline = &bound,
                        .shows = shows,
                        .does_not_show = does_not_show,
                        .details = details_of(audit)};
    struct verdict_claim claim;
    if (subject_claim(&claim, &audit->subject, audit->epsilon, "no dropouts")) v.claim = &claim;
    char more[100];
    (void)snprintf(more, sizeof more, " %u of %u guesses about the canaries were right.",
                   audit->run.correct, audit->run.guesses);
    subject_judge(&v, audit->most, more);
    if (o->folder != NULL && !write_scores(audit)) return EXIT_FAILED;
    if (!o->json) print_table(audit);
    return verdict_report(&v, o->json, o->folder);
}
