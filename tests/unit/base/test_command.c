/* SPDX-License-Identifier: Apache-2.0 */
#include "base/command.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/lib/check.h"

static int given;
static char first[64], second[64];

static enum exit_code note(int argc, char **argv)
{
    given = argc;
    (void)snprintf(first, sizeof first, "%s", argv[0]);
    (void)snprintf(second, sizeof second, "%s", argc > 1 ? argv[1] : "");
    return EXIT_VERIFY;
}

static enum exit_code fail(int argc, char **argv)
{
    return command_fail(argv[1], argc > 2 ? STATUS_AUTH : STATUS_IO);
}

static enum exit_code refuse(int argc, char **argv)
{
    return command_refuse(argc > 2 ? REASON_BUDGET : REASON_MANIFEST, argv[1]);
}

static const struct command table[] = {{"keygen", "make keys", note},
                                       {"run", "take part", note},
                                       {"fail", "at once", fail},
                                       {"refuse", "it all", refuse}};

/* What the last call printed on standard output and on standard error. */
static char said[2][4096];

static void read_back(FILE *file, char text[static 4096])
{
    rewind(file);
    text[fread(text, 1, 4095, file)] = 0;
    (void)fclose(file);
}

/* Call the program with up to three words. */
static enum exit_code call(const char *a, const char *b, const char *c)
{
    char words[4][32] = {"/usr/bin/veilsum-test"};
    const char *const word[] = {a, b, c};
    char *argv[5] = {words[0]};
    int argc = 1;
    for (size_t i = 0; i < 3 && word[i] != NULL; i++, argc++) {
        (void)snprintf(words[argc], sizeof words[argc], "%s", word[i]);
        argv[argc] = words[argc];
    }
    FILE *file[2] = {tmpfile(), tmpfile()};
    int kept[2];
    for (int i = 0; i < 2; i++) {
        (void)fflush(i == 0 ? stdout : stderr);
        kept[i] = dup(i + 1);
        CHECK(file[i] != NULL && dup2(fileno(file[i]), i + 1) == i + 1);
    }
    enum exit_code code =
        command_main(argc, argv, "  veilsum-test run\n", table, sizeof table / sizeof *table);
    for (int i = 0; i < 2; i++) {
        (void)fflush(i == 0 ? stdout : stderr);
        (void)dup2(kept[i], i + 1);
        (void)close(kept[i]);
        read_back(file[i], said[i]);
    }
    return code;
}

static void a_subcommand_gets_its_arguments_and_gives_the_exit_code(void)
{
    CHECK_NUMBER(EXIT_VERIFY, call("run", "--dir", NULL));
    CHECK_NUMBER(2, given);
    CHECK(strcmp(first, "veilsum-test run") == 0);
    CHECK(strcmp(second, "--dir") == 0);
}

static void help_has_examples_commands_and_exit_codes(void)
{
    static const char *const ask[] = {"--help", "help", NULL};
    for (size_t i = 0; i < 3; i++) {
        CHECK_NUMBER(EXIT_OK, call(ask[i], NULL, NULL));
        CHECK(strncmp(said[0], "Examples:\n  veilsum-test run\n", 29) == 0);
        CHECK(strstr(said[0], "keygen") != NULL && strstr(said[0], "make keys") != NULL);
        CHECK(strstr(said[0], "Exit status: 0 done, 1 failed, 2 usage, 3 ") != NULL);
        CHECK(said[1][0] == 0);
    }
}

static void the_version_names_program_and_protocol(void)
{
    CHECK_NUMBER(EXIT_OK, call("--version", NULL, NULL));
    CHECK(strncmp(said[0], "veilsum-test ", 13) == 0);
    CHECK(strstr(said[0], ", protocol SA1\n") != NULL);
}

static void every_reason_is_explained(void)
{
    static const enum reason all[] = {
#define ITEM(name, number, status, id, what, fix) REASON_##name,
        REASON_MAP(ITEM)
#undef ITEM
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        CHECK_NUMBER(EXIT_OK, call("explain", reason_id(all[i]), NULL));
        CHECK(strstr(said[0], reason_what(all[i])) != NULL);
        CHECK(strstr(said[0], reason_fix(all[i])) != NULL);
    }
}

static void what_is_unknown_is_a_wrong_argument(void)
{
    CHECK_NUMBER(EXIT_USAGE, call("walk", NULL, NULL));
    CHECK(strstr(said[1], "no command walk; try veilsum-test --help") != NULL);
    CHECK(said[0][0] == 0);
    CHECK_NUMBER(EXIT_USAGE, call("explain", "E-NOTHING", NULL));
    CHECK(strstr(said[1], "E-NOTHING") != NULL);
}

static void what_went_wrong_is_said_and_has_an_exit_code(void)
{
    char what[300];
    CHECK_NUMBER(EXIT_FAILED, call("fail", "a.key", NULL));
    CHECK(strcmp(said[1], "a.key: file or socket failed\n") == 0 && said[0][0] == 0);
    CHECK_NUMBER(EXIT_AUTH, call("fail", "a.key", "b"));
    CHECK_NUMBER(EXIT_REFUSED, call("refuse", "enough", "b"));
    (void)snprintf(what, sizeof what, "%s  enough\n  To do: %s.\n", reason_id(REASON_BUDGET),
                   reason_fix(REASON_BUDGET));
    CHECK(strcmp(said[1], what) == 0 && said[0][0] == 0);
    CHECK_NUMBER(EXIT_AUTH, call("refuse", "enough", NULL));
}

static void exit_codes_tell_reactions_apart(void)
{
    CHECK_NUMBER(EXIT_OK, command_exit(REASON_NONE));
    CHECK_NUMBER(EXIT_AUTH, command_exit(REASON_MANIFEST));
    CHECK_NUMBER(EXIT_AUTH, command_exit(REASON_KEY_SERVER));
    CHECK_NUMBER(EXIT_REFUSED, command_exit(REASON_POLICY));
    CHECK_NUMBER(EXIT_REFUSED, command_exit(REASON_BUDGET));
    CHECK_NUMBER(EXIT_REFUSED, command_exit(REASON_QUORUM));
    CHECK_NUMBER(EXIT_DATA, command_exit(REASON_DATA));
    CHECK_NUMBER(EXIT_FAILED, command_exit(REASON_JOURNAL));
    CHECK_NUMBER(EXIT_FAILED, command_exit(REASON_MEMORY));
}

/* Scripts rely on them. */
static void exit_codes_stay_as_they_are(void)
{
    CHECK_NUMBER(0, EXIT_OK);
    CHECK_NUMBER(1, EXIT_FAILED);
    CHECK_NUMBER(2, EXIT_USAGE);
    CHECK_NUMBER(3, EXIT_AUTH);
    CHECK_NUMBER(4, EXIT_TIMEOUT);
    CHECK_NUMBER(5, EXIT_REFUSED);
    CHECK_NUMBER(6, EXIT_VERIFY);
    CHECK_NUMBER(7, EXIT_DATA);
    CHECK_NUMBER(70, EXIT_BUG);
}

static void the_clock_counts_milliseconds(void)
{
    const uint64_t before = command_now_ms();
    (void)usleep(20 * 1000);
    const uint64_t passed = command_now_ms() - before;
    CHECK(passed >= 20 && passed < 20 * 1000);
}

static void threads_are_at_least_one_and_at_most_what_is_wished(void)
{
    CHECK_NUMBER(1, command_threads(1));
    const unsigned all = command_threads(1000000);
    CHECK(all >= 1 && all < 1000000);
    CHECK_NUMBER(all, command_threads(all));
}

static void open_files_are_raised_to_what_is_allowed(void)
{
    struct rlimit limit, now;
    CHECK_NUMBER(0, getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 64;
    CHECK_NUMBER(0, setrlimit(RLIMIT_NOFILE, &limit));
    command_raise_files();
    CHECK_NUMBER(0, getrlimit(RLIMIT_NOFILE, &now));
    CHECK_NUMBER(limit.rlim_max, now.rlim_cur);
    CHECK_NUMBER(limit.rlim_max, now.rlim_max);
}

/* The signals are caught until the program ends: last case. */
static void a_signal_asks_for_the_end_and_a_closed_pipe_does_not(void)
{
    static const int asks[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action;
    command_catch_stop();
    CHECK_NUMBER(0, raise(SIGPIPE));
    CHECK(!command_stopped());
    for (size_t i = 0; i < 3; i++) {
        CHECK_NUMBER(0, sigaction(asks[i], NULL, &action));
        CHECK(action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
    }
    CHECK_NUMBER(0, raise(SIGHUP));
    CHECK(command_stopped());
}

int main(void)
{
    RUN(a_subcommand_gets_its_arguments_and_gives_the_exit_code);
    RUN(help_has_examples_commands_and_exit_codes);
    RUN(the_version_names_program_and_protocol);
    RUN(every_reason_is_explained);
    RUN(what_is_unknown_is_a_wrong_argument);
    RUN(what_went_wrong_is_said_and_has_an_exit_code);
    RUN(exit_codes_tell_reactions_apart);
    RUN(exit_codes_stay_as_they_are);
    RUN(the_clock_counts_milliseconds);
    RUN(threads_are_at_least_one_and_at_most_what_is_wished);
    RUN(open_files_are_raised_to_what_is_allowed);
    RUN(a_signal_asks_for_the_end_and_a_closed_pipe_does_not);
    return check_done();
}
