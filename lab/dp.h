/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands of `veilsum-lab dp` share. */
#ifndef LAB_DP_H
#define LAB_DP_H

#include <jansson.h>

#include "base/command.h"
#include "base/option.h"
#include "dp/mechanism.h"

#define DP_UNIT "one contribution: a patient's record, or a site's whole update"

enum exit_code dp_epsilon_command(int argc, char **argv);
enum exit_code dp_plan_command(int argc, char **argv);
enum exit_code dp_study_command(int argc, char **argv);

/* A mechanism by its name on the command line, with noise 0, everybody taking part, once; false
 * when there is none of that name. */
bool dp_mechanism_named(struct mechanism *m, const char *name);
/* All names, for messages. */
#define DP_MECHANISMS                                                                              \
    "gaussian, subsampled-gaussian, subsampled-gaussian-wor, discrete-gaussian, skellam or "       \
    "laplace"

struct dp_schedule {
    size_t n;
    struct mechanism *list;
};
void dp_schedule_free(struct dp_schedule *schedule);

/* Read a list of releases, one a line: mechanism, noise multiplier, sampling (1), compositions (1),
 * with commas or blanks; # begins a comment. Says on standard error what is wrong, with the line;
 * schedule is then untouched. */
enum exit_code dp_schedule_read(struct dp_schedule *schedule, const char *path);

/* Null where it is infinite: JSON has no other word for it. */
json_t *dp_real(double x);
/* Print and release. */
enum exit_code dp_print_json(json_t *document);

#endif
