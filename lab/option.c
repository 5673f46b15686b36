/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/option.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double option_number(struct argp_state *state, const char *option, const char *text, double least,
                     double most)
{
    char *end = NULL;
    const double x = strtod(text, &end);
    if (end == text || *end != 0 || !(x >= least && x <= most))
        argp_error(state, "--%s %s: it is a number from %g to %g", option, text, least, most);
    return x;
}

uint32_t option_count(struct argp_state *state, const char *option, const char *text, double least,
                      double most)
{
    const double x = option_number(state, option, text, least, most);
    if (x != floor(x)) argp_error(state, "--%s %s: it is a whole number", option, text);
    return (uint32_t)x;
}

uint64_t option_seed(struct argp_state *state, const char *text)
{
    const double x = option_number(state, "seed", text, 0, 0x1p53);
    if (x != floor(x)) argp_error(state, "--seed %s: it is a whole number", text);
    return (uint64_t)x;
}

struct split option_split(struct argp_state *state, const char *text)
{
    struct split split = {0};
    if (split_parse(&split, text) != STATUS_OK)
        argp_error(state, "--partition %s: it is " SPLIT_NAMES, text);
    return split;
}

bool option_json(struct argp_state *state, const char *text)
{
    const bool json = strcmp(text, "json") == 0;
    if (!json && strcmp(text, "text") != 0)
        argp_error(state, "--format %s: it is text or json", text);
    return json;
}
