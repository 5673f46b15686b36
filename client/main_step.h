/* SPDX-License-Identifier: Apache-2.0 */
/* What main.c and enrol.c share: the arguments of all subcommands. Private to them. */
#ifndef CLIENT_MAIN_STEP_H
#define CLIENT_MAIN_STEP_H

#include <argp.h>

#include "base/command.h"
#include "client/data/records.h"
#include "client/site.h"
#include "protocol/evidence.h"

/* Arguments of all subcommands; each takes those that it lists. */
struct arguments {
    const char *folder, *name, *manifest, *study, *policy, *connect, *out;
    struct records records;
    const char *backbone, *put_in, *format, *least;
    const char *proxy, *proxy_credentials;
    unsigned threads;
    bool events;
    bool homeless; /* a subcommand without --dir */
};

enum {
    ARG_BACKBONE = 256,
    ARG_PUT_IN,
    ARG_EVENTS,
    ARG_FORMAT,
    ARG_LEAST,
    ARG_PROXY,
    ARG_PROXY_CREDENTIALS,
    ARG_THREADS
};

#define OPTION_DIR                                                                                 \
    {                                                                                              \
        "dir", 'd', "DIR", 0, "The site's folder (mode 0700)", 0                                   \
    }

/* Fill in a subcommand's arguments, or end the program with its help. */
void main_read(struct arguments *a, const struct argp_option *options, const char *doc, int argc,
               char **argv);

/* The same with the options that name records. */
void main_read_records(struct arguments *a, const struct argp_option *options, const char *doc,
                       int argc, char **argv);

/* What went wrong, on standard error, and the exit code for it. */
enum exit_code main_fail(const char *what, enum status status);
enum exit_code main_usage(const char *what);
enum exit_code main_refuse(enum reason reason, const char *what);

/* Subcommands of enrol.c. */
enum exit_code enrol_keygen(int argc, char **argv);
enum exit_code enrol_pin(int argc, char **argv);

#endif
