/* SPDX-License-Identifier: Apache-2.0 */
/* What the columns of a table mean, said by a short text, so that every site turns the same value
 * into the same pixel. All numbers in it are public: they must not be taken from the records.
 *
 *   # one rule a line; what follows a # is a comment; "two words" are one in quotes
 *   header                        the first line names the columns, or:
 *   columns age sex cp num        they are named here, or: they are numbered from 1
 *   skip 1                        so many lines come before that
 *   separator ;                   , unless said; also tab
 *   missing ? NA                  words that stand for no value; an empty field always does
 *   number age 20 80              20 becomes 0 and 80 becomes 255; what is outside is clamped
 *   number chol 100 400 missing 240   and this instead of no value
 *   category cp 1 2 3 4           one feature each: 255 for the value that it is, 0 otherwise;
 *                                 all 0 when missing or another
 *   number 1-64 0 16              a range of columns by their numbers, for number
 *   label num                     a whole number from 0 to 255, or with classes:
 *   class 0 0                     these values are class 0
 *   class 1 1 2 3 4
 *   key hospital                  which site or person a record is from
 *
 * Features come in the order of the rules. 1 and 1.0 are the same value. */
#ifndef CLIENT_DATA_SCHEMA_H
#define CLIENT_DATA_SCHEMA_H

#include "client/data/source.h"
#include "client/data/table.h"

#define SCHEMA_RULES_MAX 512
#define SCHEMA_BYTES_MAX 65536

enum schema_kind { SCHEMA_NUMBER, SCHEMA_CATEGORY, SCHEMA_LABEL, SCHEMA_CLASS, SCHEMA_KEY };

struct schema_rule {
    enum schema_kind kind;
    uint32_t line;
    struct view column;     /* as it is written: a name, or "7", or "7-9" */
    uint32_t first, last;   /* columns from 0, both included: after schema_bind */
    double low, high, fill; /* of a number; fill if has_fill */
    bool has_fill;
    uint8_t number;     /* of a class */
    struct view values; /* words of a category or a class */
    uint32_t n_values;
};

/* Views are borrowed from the text. */
struct schema {
    bool header;
    uint32_t skip;
    char separator;
    struct view columns, missing; /* words */
    uint32_t n_columns;           /* words of columns */
    uint32_t n_rules, classes;    /* classes: largest of the rules + 1, or 0 */
    uint32_t n_features;          /* after schema_bind */
    int label, key;               /* the rule; -1: none */
    struct schema_rule rule[SCHEMA_RULES_MAX];
};

/* STATUS_FORMAT  a line is not understood, or there is no label or no feature; out is untouched. */
MUST_USE enum status schema_parse(struct schema *out, struct view text, struct data_error *why);

/* Find the columns of all rules: by name among the n names (fields of a header; NULL: the schema's
 * own), or by number up to n.
 * STATUS_FORMAT  a column is not there. STATUS_RANGE  more than 65536 features. */
MUST_USE enum status schema_bind(struct schema *schema, const struct view *name, size_t n,
                                 struct data_error *why);

/* Take the next of some words; false at their end. */
bool schema_word(struct view *words, struct view *word);
/* Whether a field's text is one of the words, and which, counted from 0. */
bool schema_find(struct view words, const char *text, uint32_t *which);

#endif
