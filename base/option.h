/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a command line as a table: what each is called, and where its value goes. Part of
 * the programs' mains: what is wrong is said on standard error and ends the program (argp_error).
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

/* One option. Without a name, but with a value, it is what stands on the line without an option;
 * with help alone, it is the heading of those below it. */
struct option_row {
    const char *name;  /* without its dashes */
    const char *value; /* what --help calls it; NULL: the option stands alone */
    const char *help;
    int letter;  /* its short name, or 0 */
    bool needed; /* of a text or a list */

    bool *given; /* becomes true when it is there */
    /* Where the value goes, to one of these at most. Texts are argv's. */
    const char **text;
    const char **list; /* the option may be repeated: at most `most` texts, *count of them */
    uint32_t *count;   /* a whole number within [least, most] */
    double *number;    /* a number within [least, most] */
    uint64_t *seed;    /* a whole number up to 2^53 */
    uint32_t *choice;  /* which one of `among` */
    bool *second;      /* whether the second of `among` */
    double least, most;
    const char *const *among; /* of a text too: the n_among that it can be; NULL is none */
    size_t n_among;
};

#define OPTION_AMONG(names) .among = (names), .n_among = sizeof(names) / sizeof *(names)

struct option_table {
    const struct option_row *row; /* a row of zeros ends them */
    const char *doc;              /* as argp has it: what the command does, \v, examples */
    /* Further options with a parser of their own, whose input is `further`; or NULL. */
    const struct argp_child *children;
    void *further;
    /* What no row can say; looked at when all are read; or NULL. */
    void (*check)(void *values, struct argp_state *state);
    void *values;
};

/* Read the line into what the rows point to, or end the program. What is not said stays as it was.
 */
void option_read(const struct option_table *table, int argc, char **argv);

/* Those that many commands have. */
struct option_row option_study(const char **path, const char *help);
struct option_row option_out(const char **path, const char *value, const char *help);
struct option_row option_seed(uint64_t *seed, const char *help);
struct option_row option_threads(unsigned *threads, unsigned most, const char *help);
/* "text or json (text)". */
struct option_row option_format(bool *json);

#endif
