/* SPDX-License-Identifier: Apache-2.0 */
/* What main.c and enrol.c share. Private to them. */
#ifndef AGGREGATOR_MAIN_STEP_H
#define AGGREGATOR_MAIN_STEP_H

#include "aggregator/run.h"
#include "base/option.h"

/* "dir": the folder of the key and of results. */
struct option_row main_dir(const char **folder);

/* Read the folder's key; says what is wrong with it. */
MUST_USE enum status main_key(struct keyfile *key, const char *folder);

/* Subcommands of enrol.c. */
enum exit_code enrol_keygen(int argc, char **argv);
enum exit_code enrol_manifest(int argc, char **argv);
enum exit_code enrol_sign(int argc, char **argv);

#endif
