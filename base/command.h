/* SPDX-License-Identifier: Apache-2.0 */
/* What the three programs share: exit codes and the table of subcommands. */
#ifndef BASE_COMMAND_H
#define BASE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

/* Documented in every --help; scripts rely on them. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,  /* the operation failed */
    EXIT_USAGE = 2,   /* wrong arguments */
    EXIT_AUTH = 3,    /* connection or authentication */
    EXIT_TIMEOUT = 4, /* nobody answered in time */
    EXIT_REFUSED = 5, /* policy, budget or quorum */
    EXIT_VERIFY = 6,  /* a check of results failed */
    EXIT_DATA = 7,    /* invalid data */
    EXIT_BUG = 70
};

/* One subcommand: argv[0] is "program name", for messages. */
struct command {
    const char *name, *what;
    enum exit_code (*run)(int argc, char **argv);
};

/* Run the subcommand that argv names, or print help (examples first) to standard output. Also
 * answers --help, --version and `explain E-...`. Returns an exit code. */
enum exit_code command_main(int argc, char **argv, const char *examples,
                            const struct command *table, size_t n);

/* Milliseconds of the monotonic clock. */
uint64_t command_now_ms(void);

/* Seconds since 1970: for people, who may have set the clock wrong. */
uint64_t command_time_s(void);

/* Processors that are online, at least 1 and at most `most`. */
unsigned command_threads(unsigned most);
/* Raise the limit of open files as far as this user may: a connection needs several. */
void command_raise_files(void);

/* Let SIGINT, SIGTERM and SIGHUP ask for an orderly end, and a closed pipe be an error of write. */
void command_catch_stop(void);
/* Whether one of them came. */
bool command_stopped(void);

/* Say on standard error what went wrong, or what was refused and what to do; returns the exit code
 * that fits. */
enum exit_code command_fail(const char *what, enum status status);
enum exit_code command_refuse(enum reason reason, const char *what);

/* The exit code that fits a refusal. */
enum exit_code command_exit(enum reason reason);

#endif
