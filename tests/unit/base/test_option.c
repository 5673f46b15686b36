/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/check.h"

enum { WORDS_MAX = 12, FILES_MAX = 3 };

/* Values of all kinds, and those of options with a parser of their own. */
static struct values {
    const char *study, *kind, *one, *file[FILES_MAX];
    uint32_t files, sites, method;
    double rate;
    uint64_t seed;
    bool json, quiet, seeded;
    const char *further;
} v;

static const char *const kinds[] = {"mlp", "cnn"};
static const char *const methods[] = {"gdp", NULL, "rate", "both"};

static error_t parse_further(int key, char *text, struct argp_state *state)
{
    if (key != 'f') return ARGP_ERR_UNKNOWN;
    *(const char **)state->input = text;
    return 0;
}

static void sites_are_not_13(void *values, struct argp_state *state)
{
    const struct values *own = values;
    if (own->sites == 13) argp_error(state, "--sites 13 bring bad luck");
}

/* Read a line; of what stands without an option, one or many. */
static void read_line(bool many, char **argv, int argc)
{
    static const struct argp_option further[] = {{"further", 'f', "X", 0, "More", 0}, {0}};
    static const struct argp argp = {.options = further, .parser = parse_further};
    static const struct argp_child children[] = {{&argp, 0, "Of another parser:", 1}, {0}};
    const struct option_row row[] = {
        option_study(&v.study, "The study"),
        {.help = "How it is done:"},
        {"sites", "N", "How many", .count = &v.sites, .least = 4, .most = 100},
        {"rate", "X", "How fast", 'r', .number = &v.rate, .least = -1, .most = 1},
        {"kind", "KIND", "What model", .text = &v.kind, OPTION_AMONG(kinds)},
        {"method", "NAME", "What bound", .choice = &v.method, OPTION_AMONG(methods)},
        {"seed", "N", "Of chance", .given = &v.seeded, .seed = &v.seed},
        {"quiet", NULL, "Say nothing", .given = &v.quiet},
        option_format(&v.json),
        {NULL, many ? "FILE..." : "FILE", .needed = true, .text = many ? NULL : &v.one,
         .list = many ? v.file : NULL, .count = many ? &v.files : NULL, .most = FILES_MAX},
        {0}};
    option_read(&(struct option_table){.row = row,
                                       .doc = "Do it.\vExamples: none",
                                       .children = children,
                                       .further = &v.further,
                                       .check = sites_are_not_13,
                                       .values = &v},
                argc, argv);
}

/* argp changes what it is given. */
static int words_of(char *argv[static WORDS_MAX + 1], const char *const *word)
{
    static char text[WORDS_MAX][64];
    int argc = 0;
    for (; word[argc] != NULL; argc++) {
        (void)snprintf(text[argc], sizeof text[argc], "%s", word[argc]);
        argv[argc] = text[argc];
    }
    argv[argc] = NULL;
    v = (struct values){.kind = "mlp", .sites = 8, .rate = 0.5, .seed = 1, .method = 3};
    return argc;
}

static void line(bool many, const char *const *word)
{
    char *argv[WORDS_MAX + 1];
    const int argc = words_of(argv, word);
    read_line(many, argv, argc);
}
#define LINE(many, ...) line(many, ((const char *const[]){"test", __VA_ARGS__, NULL}))

/* The exit code of a program that reads the line, and what it says. */
static char said[4096];

static int ends(bool many, const char *const *word)
{
    char *argv[WORDS_MAX + 1];
    const int argc = words_of(argv, word);
    int ends[2], status = 0;
    size_t n = 0;
    (void)fflush(stdout);
    CHECK(pipe(ends) == 0);
    const pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)dup2(ends[1], STDERR_FILENO);
        (void)close(ends[0]);
        read_line(many, argv, argc);
        _exit(0);
    }
    (void)close(ends[1]);
    for (ssize_t got = 1; got > 0; n += (size_t)got) {
        got = read(ends[0], said + n, sizeof said - 1 - n);
        if (got < 0) got = 0;
    }
    said[n] = 0;
    (void)close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void refused(const char *why, bool many, const char *const *word)
{
    CHECK_NUMBER(argp_err_exit_status, ends(many, word));
    CHECK(strstr(said, why) != NULL);
}
#define REFUSED(why, many, ...)                                                                    \
    refused(why, many, ((const char *const[]){"test", __VA_ARGS__, NULL}))

static void every_value_goes_where_its_row_points(void)
{
    LINE(false, "--study=a", "--sites", "100", "--rate=-1", "--kind=cnn", "--method=rate",
         "--seed=9007199254740992", "--quiet", "--format=json", "--further=b", "c");
    CHECK(strcmp(v.study, "a") == 0 && strcmp(v.one, "c") == 0 && strcmp(v.kind, "cnn") == 0);
    CHECK_NUMBER(100, v.sites);
    CHECK_CLOSE(-1, v.rate, 0);
    CHECK_NUMBER(2, v.method);
    CHECK(v.seed == 9007199254740992u && v.seeded);
    CHECK(v.quiet && v.json);
    CHECK(strcmp(v.further, "b") == 0);
    LINE(false, "-s", "a", "-r", "0.25", "--format=text", "c");
    CHECK_CLOSE(0.25, v.rate, 0);
    CHECK(!v.json);
}

static void what_is_not_said_stays_as_it_was(void)
{
    LINE(false, "-s", "a", "c");
    CHECK(strcmp(v.kind, "mlp") == 0 && v.further == NULL);
    CHECK(v.sites == 8 && v.seed == 1 && v.method == 3);
    CHECK(!v.json && !v.quiet && !v.seeded);
    CHECK_CLOSE(0.5, v.rate, 0);
}

static void numbers_are_within_their_range(void)
{
    REFUSED("--sites 3: it is a number from 4 to 100", false, "--sites=3", "-sa", "b");
    REFUSED("--sites 101: it is a number from 4 to 100", false, "--sites=101", "-sa", "b");
    REFUSED("--sites 4.5: it is a whole number", false, "--sites=4.5", "-sa", "b");
    REFUSED("--sites 9x: it is a number", false, "--sites=9x", "-sa", "b");
    REFUSED("--rate nan: it is a number from -1 to 1", false, "--rate=nan", "-sa", "b");
    REFUSED("--rate : it is a number", false, "--rate=", "-sa", "b");
    REFUSED("--seed -1: it is a number", false, "--seed=-1", "-sa", "b");
    REFUSED("--seed 0.5: it is a whole number", false, "--seed=0.5", "-sa", "b");
}

static void names_are_among_those_that_are_listed(void)
{
    REFUSED("--kind vit: it is mlp or cnn\n", false, "--kind=vit", "-sa", "b");
    REFUSED("--method x: it is gdp, rate or both\n", false, "--method=x", "-sa", "b");
    REFUSED("--format xml: it is text or json\n", false, "--format=xml", "-sa", "b");
}

static void what_is_needed_is_asked_for(void)
{
    REFUSED("--study is needed", false, "b");
    REFUSED("FILE is needed", false, "-sa");
    REFUSED("FILE... is needed", true, "-sa");
}

static void what_stands_alone_is_one_or_a_list(void)
{
    REFUSED("one FILE, not c as well", false, "-sa", "b", "c");
    LINE(true, "b", "-sa", "c", "d");
    CHECK_NUMBER(3, v.files);
    CHECK(strcmp(v.file[0], "b") == 0 && strcmp(v.file[2], "d") == 0);
    REFUSED("too many FILE...: 3 at most", true, "-sa", "b", "c", "d", "e");
}

static void what_no_row_can_say_is_looked_at_in_the_end(void)
{
    REFUSED("--sites 13 bring bad luck", false, "--sites=13", "-sa", "b");
}

static void help_has_headings_values_and_examples(void)
{
    const char *const ask[] = {"test", "--help", NULL};
    CHECK_NUMBER(0, ends(false, ask));
    CHECK(strstr(said, "[OPTION...] FILE\nDo it.\n") != NULL);
    CHECK(strstr(said, "-s, --study=FILE") != NULL);
    const char *further = strstr(said, "Of another parser:"), *how = strstr(said, "How it is done");
    CHECK(further != NULL && how != NULL && further < how);
    CHECK(strstr(said, "text or json (text)") > how);
    CHECK(strstr(said, "Examples: none") > how);
}

int main(void)
{
    RUN(every_value_goes_where_its_row_points);
    RUN(what_is_not_said_stays_as_it_was);
    RUN(numbers_are_within_their_range);
    RUN(names_are_among_those_that_are_listed);
    RUN(what_is_needed_is_asked_for);
    RUN(what_stands_alone_is_one_or_a_list);
    RUN(what_no_row_can_say_is_looked_at_in_the_end);
    RUN(help_has_headings_values_and_examples);
    return check_done();
}
