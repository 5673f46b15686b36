/* SPDX-License-Identifier: Apache-2.0 */
/* What main.c, enrol.c and inspect.c share. Private to them. */
#ifndef CLIENT_MAIN_STEP_H
#define CLIENT_MAIN_STEP_H

#include "base/command.h"
#include "base/option.h"
#include "client/data/records.h"
#include "client/site.h"
#include "protocol/evidence.h"

/* "dir": the site's folder. */
struct option_row main_dir(const char **folder);

/* A wrong argument, on standard error, and the exit code for it. */
enum exit_code main_usage(const char *what);

/* Subcommands of enrol.c. */
enum exit_code enrol_keygen(int argc, char **argv);
enum exit_code enrol_pin(int argc, char **argv);

#endif
