/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab audit bound: how much an attack's counts prove against a claimed epsilon. */
#include <jansson.h>
#include <string.h>

#include "base/option.h"
#include "dp/bound.h"
#include "lab/audit.h"

enum count {
    COUNT_CANARIES,
    COUNT_GUESSES,
    COUNT_CORRECT,
    COUNT_FALSE_POSITIVES,
    COUNT_NEGATIVES,
    COUNT_FALSE_NEGATIVES,
    COUNT_POSITIVES,
    COUNT_COUNT
};

static const struct {
    const char *option, *field;
} count_name[COUNT_COUNT] = {
    [COUNT_CANARIES] = {"canaries", "canaries"},
    [COUNT_GUESSES] = {"guesses", "guesses"},
    [COUNT_CORRECT] = {"correct", "correct"},
    [COUNT_FALSE_POSITIVES] = {"false-positives", "false_positives"},
    [COUNT_NEGATIVES] = {"negatives", "negatives"},
    [COUNT_FALSE_NEGATIVES] = {"false-negatives", "false_negatives"},
    [COUNT_POSITIVES] = {"positives", "positives"},
};

typedef enum status bound_of_run(double *epsilon, const struct bound_run *run,
                                 const struct bound_level *level);

/* A method counts from one run or from many. */
struct method {
    const char *name;
    bound_of_run *run;
    bound_of_trials *trials;
    const char *holds_for, *rule;
};

static const char guess_rule[] = "the number of guesses was fixed before the run; they are the "
                                 "highest and the lowest scores, half each";
static const char split_rule[] = "the threshold was fixed by other runs than those counted";
static const char gaussian_only[] =
    "mechanisms that are mu-GDP for some mu, such as Gaussian noise";

static const struct method methods[] = {
    {"one-run", bound_one_run, NULL, "every mechanism", guess_rule},
    {"one-run-fdp", bound_one_run_fdp, NULL, gaussian_only, guess_rule},
    {"clopper-pearson", NULL, bound_clopper_pearson, "every mechanism", split_rule},
    {"gdp", NULL, bound_gdp, gaussian_only, split_rule},
};

struct arguments {
    const char *name; /* of the method */
    const struct method *method;
    bool given[COUNT_COUNT], delta_given, json;
    uint32_t count[COUNT_COUNT];
    struct bound_level level;
};

static void at_most(struct argp_state *state, const struct arguments *a, enum count part,
                    enum count whole)
{
    if (a->count[part] > a->count[whole])
        argp_error(state, "--%s %u is more than --%s %u: it counts some of them",
                   count_name[part].option, a->count[part], count_name[whole].option,
                   a->count[whole]);
}

static void at_least_one(struct argp_state *state, const struct arguments *a, enum count which)
{
    if (a->count[which] == 0)
        argp_error(state, "--%s must be at least 1", count_name[which].option);
}

static void check(void *values, struct argp_state *state)
{
    struct arguments *a = values;
    a->method = methods;
    while (strcmp(a->method->name, a->name) != 0) a->method++;
    if (!a->delta_given) argp_error(state, "--delta is needed: the delta of the claim under test");
    const bool one_run = a->method->run != NULL;
    for (enum count c = 0; c < COUNT_COUNT; c++) {
        const bool wanted = (c <= COUNT_CORRECT) == one_run;
        if (wanted != a->given[c])
            argp_error(state, "--method %s %s --%s", a->method->name,
                       wanted ? "needs" : "does not take", count_name[c].option);
    }
    if (one_run) {
        at_least_one(state, a, COUNT_CANARIES);
        at_most(state, a, COUNT_GUESSES, COUNT_CANARIES);
        at_most(state, a, COUNT_CORRECT, COUNT_GUESSES);
    } else {
        at_least_one(state, a, COUNT_NEGATIVES);
        at_least_one(state, a, COUNT_POSITIVES);
        at_most(state, a, COUNT_FALSE_POSITIVES, COUNT_NEGATIVES);
        at_most(state, a, COUNT_FALSE_NEGATIVES, COUNT_POSITIVES);
    }
}

static struct option_row count_row(struct arguments *a, enum count which, const char *value,
                                   const char *help)
{
    return (struct option_row){
        count_name[which].option, value, help, .given = &a->given[which], .count = &a->count[which],
        .most = TAIL_COUNT_MAX};
}

static void print_json(const struct arguments *a, double epsilon)
{
    json_t *document = json_pack("{s:i, s:s, s:f, s:f, s:f, s:b, s:s, s:s}", "schema_version", 1,
                                 "method", a->method->name, "epsilon_lower_bound", epsilon, "delta",
                                 a->level.delta, "confidence", a->level.confidence,
                                 "at_search_limit", epsilon >= BOUND_EPSILON_MAX, "holds_for",
                                 a->method->holds_for, "provided_that", a->method->rule);
    REQUIRE(document != NULL);
    for (size_t c = 0; c < COUNT_COUNT; c++)
        if (a->given[c])
            (void)json_object_set_new(document, count_name[c].field, json_integer(a->count[c]));
    /* Enough digits for three places and BOUND_DECIMALS; more would show binary fractions. */
    (void)json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(11));
    printf("\n");
    json_decref(document);
}

static void print_text(const struct arguments *a, double epsilon)
{
    printf("epsilon >= %.*f at delta %g, confidence %g (%s)\n", BOUND_DECIMALS, epsilon,
           a->level.delta, a->level.confidence, a->method->name);
    printf("  holds for:     %s\n  provided that: %s\n", a->method->holds_for, a->method->rule);
    if (epsilon >= BOUND_EPSILON_MAX)
        printf("  note:          larger epsilons are not told apart\n");
}

enum exit_code audit_bound(int argc, char **argv)
{
    static const char doc[] =
        "A lower bound on epsilon from how often an attack was right.\v"
        "Decide on one method, and on the number of guesses or the threshold, before you see what "
        "they give: the best of several is not a bound. one-run and clopper-pearson hold for every "
        "mechanism, one-run-fdp and gdp for Gaussian-like ones only.\n\n"
        "Examples:\n"
        "  veilsum-lab audit bound --method one-run --canaries 1000 --guesses 100 --correct 90 "
        "--delta 1e-5\n"
        "  veilsum-lab audit bound --method clopper-pearson --false-positives 10 --negatives 1000 "
        "--false-negatives 300 --positives 1000 --delta 1e-5 --confidence 0.99 --format json\n";
    struct arguments a = {.level.confidence = 0.95};
    const char *names[sizeof methods / sizeof *methods];
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) names[i] = methods[i].name;
    const struct option_row row[] = {
        {"method", "NAME", "one-run, one-run-fdp, clopper-pearson or gdp", .needed = true,
         .text = &a.name, OPTION_AMONG(names)},
        {.help = "One run, each canary in or out by a coin:"},
        count_row(&a, COUNT_CANARIES, "M", "Canaries in the run"),
        count_row(&a, COUNT_GUESSES, "R", "Guessed in or out; of the rest nothing"),
        count_row(&a, COUNT_CORRECT, "V", "Guessed rightly"),
        {.help = "Many runs, with or without one record:"},
        count_row(&a, COUNT_FALSE_POSITIVES, "A", "Called with, were not"),
        count_row(&a, COUNT_NEGATIVES, "N0", "Runs without"),
        count_row(&a, COUNT_FALSE_NEGATIVES, "B", "Called without, were"),
        count_row(&a, COUNT_POSITIVES, "N1", "Runs with"),
        {.help = "Both:"},
        {"delta", "D", "Delta of the claim under test", .given = &a.delta_given,
         .number = &a.level.delta, .most = 0.999},
        {"confidence", "P", "Of the bound (0.95)", .number = &a.level.confidence, .least = 0.001,
         .most = 0.999999999},
        option_format(&a.json),
        {0}};
    option_read(&(struct option_table){.row = row, .doc = doc, .check = check, .values = &a}, argc,
                argv);
    const uint32_t *c = a.count;
    double epsilon = 0;
    enum status status = STATUS_OK;
    if (a.method->run != NULL)
        status = a.method->run(
            &epsilon, &(struct bound_run){c[COUNT_CANARIES], c[COUNT_GUESSES], c[COUNT_CORRECT]},
            &a.level);
    else
        status =
            a.method->trials(&epsilon,
                             &(struct bound_trials){c[COUNT_FALSE_POSITIVES], c[COUNT_NEGATIVES],
                                                    c[COUNT_FALSE_NEGATIVES], c[COUNT_POSITIVES]},
                             &a.level);
    REQUIRE(status == STATUS_OK); /* the arguments were checked */
    if (a.json)
        print_json(&a, epsilon);
    else
        print_text(&a, epsilon);
    return EXIT_OK;
}
