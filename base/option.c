/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

/* Of options without a letter: above all letters, by their row. */
enum { KEYS = 256, ROWS_MAX = 32 };

static bool is_row(const struct option_row *row)
{
    return row->name != NULL || row->value != NULL || row->help != NULL;
}

static bool is_rest(const struct option_row *row)
{
    return row->name == NULL && row->value != NULL;
}

static int key_of(const struct option_table *table, const struct option_row *row)
{
    if (is_rest(row)) return ARGP_KEY_ARG;
    if (row->name == NULL) return 0;
    return row->letter != 0 ? row->letter : KEYS + (int)(row - table->row);
}

static double number_of(const struct option_row *row, const char *text, struct argp_state *state,
                        double least, double most, bool whole)
{
    char *end = NULL;
    const double x = strtod(text, &end);
    if (end == text || *end != 0 || !(x >= least && x <= most))
        argp_error(state, "--%s %s: it is a number from %g to %g", row->name, text, least, most);
    if (whole && x != floor(x)) argp_error(state, "--%s %s: it is a whole number", row->name, text);
    return x;
}

static uint32_t place_of(const struct option_row *row, const char *text, struct argp_state *state)
{
    char names[400] = "";
    size_t at = 0, last = row->n_among;
    for (size_t i = 0; i < row->n_among; i++) {
        if (row->among[i] == NULL) continue;
        if (strcmp(text, row->among[i]) == 0) return (uint32_t)i;
        last = i;
    }
    for (size_t i = 0; i <= last && at < sizeof names; i++)
        if (row->among[i] != NULL)
            at += (size_t)snprintf(names + at, sizeof names - at, "%s%s",
                                   at == 0     ? ""
                                   : i == last ? " or "
                                               : ", ",
                                   row->among[i]);
    argp_error(state, "--%s %s: it is %s", row->name, text, names);
    return 0;
}

static void take_text(const struct option_row *row, const char *text, struct argp_state *state)
{
    if (is_rest(row) && *row->text != NULL)
        argp_error(state, "one %s, not %s as well", row->value, text);
    if (row->n_among > 0) (void)place_of(row, text, state);
    *row->text = text;
}

static void take_listed(const struct option_row *row, const char *text, struct argp_state *state)
{
    if (*row->count >= row->most)
        argp_error(state, "too many %s: %g at most", is_rest(row) ? row->value : row->name,
                   row->most);
    else
        row->list[(*row->count)++] = text;
}

static void take(const struct option_row *row, const char *text, struct argp_state *state)
{
    if (row->given != NULL) *row->given = true;
    if (row->text != NULL)
        take_text(row, text, state);
    else if (row->list != NULL)
        take_listed(row, text, state);
    else if (row->count != NULL)
        *row->count = (uint32_t)number_of(row, text, state, row->least, row->most, true);
    else if (row->number != NULL)
        *row->number = number_of(row, text, state, row->least, row->most, false);
    else if (row->seed != NULL)
        *row->seed = (uint64_t)number_of(row, text, state, 0, 0x1p53, true);
    else if (row->choice != NULL)
        *row->choice = place_of(row, text, state);
    else if (row->second != NULL)
        *row->second = place_of(row, text, state) == 1;
}

static void check(const struct option_table *table, struct argp_state *state)
{
    for (const struct option_row *row = table->row; is_row(row); row++)
        if (row->needed && (row->list != NULL ? *row->count == 0 : *row->text == NULL))
            argp_error(state, "%s%s is needed", is_rest(row) ? "" : "--",
                       is_rest(row) ? row->value : row->name);
    if (table->check != NULL) table->check(table->values, state);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    const struct option_table *table = state->input;
    if (key == ARGP_KEY_INIT && table->children != NULL) state->child_inputs[0] = table->further;
    if (key == ARGP_KEY_END) check(table, state);
    if (key == ARGP_KEY_INIT || key == ARGP_KEY_END) return 0;
    for (const struct option_row *row = table->row; is_row(row); row++) {
        if (row->name == NULL && !is_rest(row)) continue;
        if (key != key_of(table, row)) continue;
        take(row, text, state);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

void option_read(const struct option_table *table, int argc, char **argv)
{
    struct argp_option option[ROWS_MAX + 1] = {{0}};
    const char *rest = NULL;
    size_t n = 0;
    int group = 0; /* of the children: 1 */
    for (const struct option_row *row = table->row; is_row(row); row++) {
        REQUIRE(n < ROWS_MAX);
        if (is_rest(row)) {
            rest = row->value;
            continue;
        }
        if (row->name == NULL) group = group == 0 ? 2 : group + 1;
        option[n++] =
            (struct argp_option){row->name, key_of(table, row), row->value, 0, row->help, group};
    }
    const struct argp argp = {option, parse, rest, table->doc, table->children, NULL, NULL};
    (void)argp_parse(&argp, argc, argv, 0, NULL, (void *)(uintptr_t)table);
}

struct option_row option_study(const char **path, const char *help)
{
    return (struct option_row){"study", "FILE", help, 's', .needed = true, .text = path};
}

struct option_row option_out(const char **path, const char *value, const char *help)
{
    return (struct option_row){"out", value, help, 'o', .text = path};
}

struct option_row option_seed(uint64_t *seed, const char *help)
{
    return (struct option_row){"seed", "N", help, .seed = seed};
}

struct option_row option_threads(unsigned *threads, unsigned most, const char *help)
{
    return (struct option_row){"threads", "N", help, .count = threads, .least = 1, .most = most};
}

struct option_row option_format(bool *json)
{
    static const char *const names[] = {"text", "json"};
    return (struct option_row){"format", "FORMAT", "text or json (text)", .second = json,
                               OPTION_AMONG(names)};
}
