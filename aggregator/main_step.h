/* SPDX-License-Identifier: Apache-2.0 */
/* What main.c and enrol.c share: the arguments of all subcommands. Private to them. */
#ifndef AGGREGATOR_MAIN_STEP_H
#define AGGREGATOR_MAIN_STEP_H

#include <argp.h>

#include "aggregator/run.h"

/* Each subcommand takes those that it lists. */
struct arguments {
    const char *folder, *name, *study, *manifest, *initial, *listen, *out, *format;
    const char *governor[MANIFEST_GOVERNORS_MAX];
    uint32_t n_governors, needed;
    unsigned threads;
    const char **request; /* the rest of the command line */
    size_t n_requests;
    bool events;
};

enum { ARG_NEEDED = 256, ARG_GOVERNOR, ARG_INITIAL, ARG_EVENTS, ARG_THREADS, ARG_FORMAT };

#define OPTION_DIR                                                                                 \
    {                                                                                              \
        "dir", 'd', "DIR", 0, "The folder of the key and of results (mode 0700)", 0                \
    }

/* Fill in a subcommand's arguments, or end the program with its help. */
void main_read(struct arguments *a, const struct argp_option *options, const char *positional,
               const char *doc, int argc, char **argv);

/* What went wrong, on standard error; the first two return the exit code for it. */
enum exit_code main_fail(const char *what, enum status status);
enum exit_code main_usage(const char *what);
void main_explain(enum reason reason, const char *what);

/* Read the folder's key; says what is wrong with it. */
MUST_USE enum status main_key(struct keyfile *key, const char *folder);

/* Subcommands of enrol.c. */
enum exit_code enrol_keygen(int argc, char **argv);
enum exit_code enrol_manifest(int argc, char **argv);
enum exit_code enrol_sign(int argc, char **argv);

#endif
