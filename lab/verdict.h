/* SPDX-License-Identifier: Apache-2.0 */
/* What an audit found: a verdict in plain words first, then the claim, the evidence, and what it
 * does not show. The same document for people, for programs and for veilsum-lab report. */
#ifndef LAB_VERDICT_H
#define LAB_VERDICT_H

#include <jansson.h>

#include "base/command.h"

enum finding {
    FINDING_PASS, /* nothing speaks against the claim */
    FINDING_FAIL, /* the claim is refuted, or a check failed */
    FINDING_OPEN, /* too little to say either */
    FINDING_COUNT
};

/* The epsilon that was tested. Its words are borrowed. */
struct verdict_claim {
    double epsilon, delta;
    const char *unit, *adjacency, *adversary, *dropouts;
};

/* The bound by the method that was declared before the run; epsilon is already rounded down. */
struct verdict_headline {
    const char *method;
    double epsilon_lower_bound, confidence;
};

struct verdict {
    const char *audit; /* mechanism, canary, mia, inversion, verify */
    enum finding finding;
    char summary[600];                 /* one or two sentences for a data-protection officer */
    const struct verdict_claim *claim; /* NULL: none was tested */
    const struct verdict_headline *headline; /* NULL: none */
    const char *const *shows;                /* sentences; NULL ends them */
    const char *const *does_not_show;
    json_t *details; /* an object whose members join the document; owned; NULL: memory was out */
};

void verdict_free(struct verdict *verdict);

/* Print the JSON document, or the verdict as text (the caller has printed its tables before), on
 * standard output. folder: also write the document to folder/AUDIT.json; NULL: do not. Returns
 * EXIT_VERIFY for FINDING_FAIL, EXIT_FAILED when the file cannot be written or memory is out, else
 * EXIT_OK. */
MUST_USE enum exit_code verdict_report(const struct verdict *verdict, bool json,
                                       const char *folder);

#endif
