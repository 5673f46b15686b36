/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab dp: help, and what its subcommands share. */
#include "lab/dp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/commands.h"

static const char help[] =
    "What noise costs in privacy. Nothing is read or sent; this only calculates.\n\n"
    "Examples:\n"
    "  veilsum-lab dp epsilon --mechanism gaussian --noise-multiplier 4 --compositions 30 "
    "--delta 1e-5\n"
    "  veilsum-lab dp epsilon --mechanism subsampled-gaussian --noise-multiplier 1 --sampling "
    "0.01 \\\n      --compositions 1000 --delta 1e-5 --accountant all --format json\n"
    "  veilsum-lab dp epsilon --schedule releases.csv --delta 1e-5\n"
    "  veilsum-lab dp plan --target-epsilon 3 --delta 1e-5 --rounds 30 --sites 10 --threshold 7 "
    "\\\n      --collusion 2 --dropout 0.1\n"
    "  veilsum-lab dp study --study study.yaml\n\n"
    "Commands (each has --help):\n"
    "  epsilon  what a list of releases costs\n"
    "  plan     how much noise a study needs\n"
    "  study    what a study file costs, for each adversary, counted in four ways\n\n"
    "Words:\n"
    "  epsilon           how much the odds of any guess about one contribution can change:\n"
    "                    by a factor of exp(epsilon); smaller is more private\n"
    "  delta             the chance with which that bound may fail; well below 1 / patients\n"
    "  contribution      what is hidden: a patient's clipped record, or a site's whole update\n"
    "  adjacency         what neighbours are: data with and without one contribution\n"
    "                    (add or remove one); or, without replacement, one exchanged\n"
    "  noise multiplier  standard deviation of the noise in the sum, over the largest norm of one\n"
    "                    contribution; for laplace its scale over that; for whole numbers over a\n"
    "                    shift by 1: of discrete-gaussian the parameter sigma, of skellam the\n"
    "                    square root of the variance\n"
    "  sampling          the chance with which each contribution takes part in a release, by a\n"
    "                    coin that nobody else sees (Poisson); in subsampled-gaussian-wor the\n"
    "                    share drawn without replacement\n"
    "  rho               of zcdp: a mechanism whose Renyi divergence of each order a is at most\n"
    "                    a rho (rho-zCDP); Gaussian noise has 1 / (2 noise multiplier^2)\n"
    "  compositions      how many releases of this kind\n"
    "  accountant        how costs are added up. pld: the distribution of the loss itself,\n"
    "                    composed on a grid, an upper bound that is nearly exact, for lists fixed\n"
    "                    in advance. rdp: moments of the loss, an upper bound; the gate at the\n"
    "                    sites is of this kind, because it stays valid when later releases depend\n"
    "                    on earlier ones. gdp: exact for gaussian; for subsampled-gaussian a\n"
    "                    limit theorem that can lie below the truth, marked approximate.\n"
    "                    rdp_published, beside whole-number noise: the bound of the literature\n"
    "  adversary         who may use the result: a reader sees models, the server every sum and "
    "who\n"
    "                    took part; what it cannot know is the noise of sites that keep it secret\n"
    "  threshold         so many sites must stay to the end, or a round gives no result\n"
    "  dropout           the part of the sites that leave during a round, and their noise with\n"
    "                    them\n"
    "  collusion         sites that tell the server their own noise, so that it hides nothing\n\n"
    "The tightest upper bound is reported, rounded up. It counts the releases that are listed and "
    "nothing\nelse: not the search for parameters, not what else is published.\n";

enum exit_code dp_command(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        printf("%s", help);
        return EXIT_OK;
    }
    char name[80];
    (void)snprintf(name, sizeof name, "%s %s", argv[0], argv[1]);
    static const struct {
        const char *name;
        enum exit_code (*run)(int argc, char **argv);
    } command[] = {
        {"epsilon", dp_epsilon_command}, {"plan", dp_plan_command}, {"study", dp_study_command}};
    for (size_t i = 0; i < sizeof command / sizeof *command; i++) {
        if (strcmp(argv[1], command[i].name) != 0) continue;
        argv[1] = name;
        return command[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "%s: no command %s; it is epsilon, plan or study, see %s --help\n", argv[0],
            argv[1], argv[0]);
    return EXIT_USAGE;
}

bool dp_mechanism_named(struct mechanism *m, const char *name)
{
    static const struct {
        const char *name;
        enum mechanism_kind kind;
        bool replace;
    } table[] = {
        {"gaussian", MECHANISM_GAUSSIAN, false},
        {"subsampled-gaussian", MECHANISM_GAUSSIAN, false},
        {"subsampled-gaussian-wor", MECHANISM_GAUSSIAN, true},
        {"discrete-gaussian", MECHANISM_DISCRETE_GAUSSIAN, false},
        {"skellam", MECHANISM_SKELLAM, false},
        {"laplace", MECHANISM_LAPLACE, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(name, table[i].name) != 0) continue;
        *m = (struct mechanism){.kind = table[i].kind,
                                .shift = 1,
                                .shares = 1,
                                .sampling = 1.0,
                                .replace = table[i].replace,
                                .times = 1};
        return true;
    }
    return false;
}

void dp_schedule_free(struct dp_schedule *schedule)
{
    free(schedule->list);
    *schedule = (struct dp_schedule){0};
}

/* The next word as a number; the value there was when the line has ended. */
static bool next_number(char **rest, double *value)
{
    const char *word = strtok_r(NULL, ", \t\r\n", rest);
    if (word == NULL) return true;
    char *end = NULL;
    *value = strtod(word, &end);
    return *end == 0;
}

/* NULL, or what is wrong. */
static const char *line_read(struct mechanism *m, const char *name, char *rest)
{
    if (!dp_mechanism_named(m, name)) return "the mechanism is " DP_MECHANISMS;
    double times = 1.0;
    if (!next_number(&rest, &m->noise) || !next_number(&rest, &m->sampling) ||
        !next_number(&rest, &times) || strtok_r(NULL, ", \t\r\n", &rest) != NULL)
        return "a line is: mechanism, noise multiplier, sampling, compositions";
    if (!(times >= 1.0 && times <= 1e7 && times == floor(times)))
        return "compositions are a whole number from 1 to 10000000";
    m->times = (uint32_t)times;
    if (mechanism_check(m) != STATUS_OK)
        return "the noise multiplier is from 0.01 to 1e6, sampling above 0 and at most 1";
    return NULL;
}

static void file_end(FILE **file)
{
    if (*file != NULL) (void)fclose(*file);
}

enum exit_code dp_schedule_read(struct dp_schedule *schedule, const char *path)
{
    AUTO(file_end) FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return EXIT_DATA;
    }
    AUTO(dp_schedule_free) struct dp_schedule read = {0};
    char line[512];
    for (unsigned number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        line[strcspn(line, "#")] = 0;
        char *rest = NULL;
        const char *name = strtok_r(line, ", \t\r\n", &rest);
        if (name == NULL || (number == 1 && strcmp(name, "mechanism") == 0)) continue;
        struct mechanism m = {0};
        const char *fault = line_read(&m, name, rest);
        if (read.n == 100000) fault = "at most 100000 releases; give equal ones as compositions";
        if (fault != NULL) {
            fprintf(stderr, "%s:%u: %s\n", path, number, fault);
            return EXIT_DATA;
        }
        struct mechanism *grown = realloc(read.list, (read.n + 1) * sizeof *grown);
        if (grown == NULL) {
            fprintf(stderr, "%s: %s\n", path, status_text(STATUS_NOMEM));
            return EXIT_FAILED;
        }
        read.list = grown;
        read.list[read.n++] = m;
    }
    if (read.n == 0) {
        fprintf(stderr, "%s: no release in it\n", path);
        return EXIT_DATA;
    }
    *schedule = read;
    read = (struct dp_schedule){0};
    return EXIT_OK;
}

json_t *dp_real(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

enum exit_code dp_print_json(json_t *document)
{
    REQUIRE(document != NULL);
    (void)json_dumpf(document, stdout, JSON_INDENT(1));
    printf("\n");
    json_decref(document);
    return EXIT_OK;
}
