/* SPDX-License-Identifier: Apache-2.0 */
/* The front of the three programs; part of their mains, so it may print. */
#include "base/command.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const char exits[] = "Exit status: 0 done, 1 failed, 2 usage, 3 connection or keys, 4 "
                            "timeout, 5 refused by policy,\n"
                            "budget or quorum, 6 verification failed, 7 invalid data, 70 bug.\n";

static enum exit_code help(const char *program, const char *examples, const struct command *table,
                           size_t n)
{
    printf("Examples:\n%s\nCommands of %s (each has --help):\n", examples, program);
    for (size_t i = 0; i < n; i++) printf("  %-12s %s\n", table[i].name, table[i].what);
    printf("  %-12s %s\n\n%s", "explain ID", "say what an error means and what to do", exits);
    return EXIT_OK;
}

static enum exit_code explain(const char *id)
{
    static const enum reason all[] = {
#define REASON_ITEM(name, number, status, text, what, fix) REASON_##name,
        REASON_MAP(REASON_ITEM)
#undef REASON_ITEM
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(id, reason_id(all[i])) != 0) continue;
        printf("%s\n  What: %s.\n  Do:   %s.\n", id, reason_what(all[i]), reason_fix(all[i]));
        return EXIT_OK;
    }
    fprintf(stderr, "no error is called %s; they look like E-PLAN-REPLAY\n", id);
    return EXIT_USAGE;
}

enum exit_code command_main(int argc, char **argv, const char *examples,
                            const struct command *table, size_t n)
{
    /* A crash must not leave keys or records in a core file. */
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    const char *slash = strrchr(argv[0], '/');
    const char *program = slash == NULL ? argv[0] : slash + 1;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return help(program, examples, table, n);
    if (strcmp(argv[1], "--version") == 0) {
        printf("%s %s, protocol SA1\n", program, VEILSUM_VERSION);
        return EXIT_OK;
    }
    if (strcmp(argv[1], "explain") == 0 && argc == 3) return explain(argv[2]);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(argv[1], table[i].name) != 0) continue;
        char name[64];
        (void)snprintf(name, sizeof name, "%s %s", program, table[i].name);
        argv[1] = name;
        return table[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "%s: no command %s; try %s --help\n", program, argv[1], program);
    return EXIT_USAGE;
}

uint64_t command_now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t command_time_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec;
}

unsigned command_threads(unsigned most)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    const unsigned n = online < 1 ? 1 : (unsigned)online;
    return n < most ? n : most;
}

void command_raise_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
}

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

void command_catch_stop(void)
{
    const struct sigaction action = {.sa_handler = stop};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

bool command_stopped(void)
{
    return stopped != 0;
}

enum exit_code command_fail(const char *what, enum status status)
{
    fprintf(stderr, "%s: %s\n", what, status_text(status));
    return status == STATUS_AUTH ? EXIT_AUTH : EXIT_FAILED;
}

enum exit_code command_refuse(enum reason reason, const char *what)
{
    fprintf(stderr, "%s  %s\n  To do: %s.\n", reason_id(reason), what, reason_fix(reason));
    return command_exit(reason);
}

enum exit_code command_exit(enum reason reason)
{
    if (reason == REASON_DATA) return EXIT_DATA;
    switch (reason_status(reason)) {
    case STATUS_OK:
        return EXIT_OK;
    case STATUS_AUTH:
        return EXIT_AUTH;
    case STATUS_BUDGET:
    case STATUS_QUORUM:
    case STATUS_RANGE:
        return EXIT_REFUSED;
    default:
        return EXIT_FAILED;
    }
}
