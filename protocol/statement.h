/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger for people and programs: what each data set and each study has spent, against whom, of
 * what limit, release by release. Part of the programs: it prints. */
#ifndef PROTOCOL_STATEMENT_H
#define PROTOCOL_STATEMENT_H

#include <stdio.h>

#include "protocol/ledger.h"

/* Limits of today; of data sets and studies that are not the reader's own, those at their opening
 * are shown. */
struct statement {
    const char *path; /* of the file */
    const struct ledger *ledger;
    const struct ledger_fault *fault; /* what NULL: it holds */
    size_t study;                     /* the reader's own; n_studies: none */
    struct books_limits limits;       /* of that study and its data set */
    /* Of the reader's journal; NULL: none. */
    uint32_t last_round;
    const char *transcript;
};

/* As a table. STATUS_NOMEM. */
MUST_USE enum status statement_table(FILE *out, const struct statement *statement);

/* As one JSON object. Numbers that are not finite are null. STATUS_NOMEM. */
MUST_USE enum status statement_json(FILE *out, const struct statement *statement);

#endif
