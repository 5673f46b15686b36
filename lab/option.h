/* SPDX-License-Identifier: Apache-2.0 */
/* Values of options on the command line, for argp's parsers: what is wrong ends the program with a
 * sentence (argp_error). Options are named without their dashes. */
#ifndef LAB_OPTION_H
#define LAB_OPTION_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/data/split.h"

/* A number within [least, most]; a whole one. */
double option_number(struct argp_state *state, const char *option, const char *text, double least,
                     double most);
uint32_t option_count(struct argp_state *state, const char *option, const char *text, double least,
                      double most);

/* --seed: a whole number up to 2^53. */
uint64_t option_seed(struct argp_state *state, const char *text);

/* --partition. */
struct split option_split(struct argp_state *state, const char *text);

/* --format: whether it is json; else it is text. */
bool option_json(struct argp_state *state, const char *text);

#endif
