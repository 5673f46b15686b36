/* SPDX-License-Identifier: Apache-2.0 */
/* What one site refuses, whoever asks: a local YAML file of the site's data-protection officer.
 * It is never sent and no message changes it. */
#ifndef PROTOCOL_POLICY_H
#define PROTOCOL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/file.h"
#include "base/status.h"
#include "protocol/ledger.h"
#include "protocol/settings.h"
#include "protocol/study.h"

#define POLICY_RULES 13

#define POLICY_PATH_MAX 255
#define POLICY_LIFETIME_MAX 1000

enum policy_unit { POLICY_ANY_UNIT, POLICY_PATIENT, POLICY_SITE };

/* Each member is the key of the same name; in brackets what holds when the key is absent. */
struct policy {
    double max_epsilon;            /* [3.0] per study; a rehearsal is judged by allow_rehearsal */
    double max_delta;              /* [1.0e-5] */
    uint32_t min_sites;            /* [3] smallest threshold accepted */
    uint32_t min_contributors;     /* [3] honest sites behind each opened sum */
    uint32_t min_collusion;        /* [1] conspirators that the study must withstand */
    bool allow_rehearsal;          /* [false] */
    enum policy_unit require_unit; /* [any] */
    uint32_t models;               /* [all] kinds of model that it trains: bit 1 << kind */
    uint32_t max_parameters;       /* [268435456] of the model */
    double lifetime_epsilon; /* [10.0] of a data set over all studies, with each release at what
                              * it cost; with require_unit: site of the site, else of a patient */
    double lifetime_delta;   /* [1.0e-5] of the same */
    char data_set[LEDGER_NAME_MAX + 1]; /* [records] studies on the same patients have one name */
    char ledger[POLICY_PATH_MAX + 1];   /* [ledger.db] a file, absolute or within the site's folder;
                                         * studies on the same patients have one file */
    unsigned line[POLICY_RULES];        /* of each key above in the file; 0 when absent */
};

/* STATUS_FORMAT, STATUS_RANGE, STATUS_NOMEM, STATUS_IO as study_read; out is untouched. */
MUST_USE enum status policy_parse(struct policy *out, struct view text, struct settings_error *why);
MUST_USE enum status policy_read(struct policy *out, const char *path, struct settings_error *why);

/* The ledger's path: the policy's, from the site's folder if it is relative. STATUS_RANGE. */
MUST_USE enum status policy_ledger(char out[static FILE_PATH_MAX], const char *folder,
                                   const struct policy *policy);

/* Whether the site takes part in a study. When not, why has the rule, its line in the policy (0:
 * the rule is a default) and both values. */
bool policy_allows(const struct policy *policy, const struct study *study,
                   struct settings_error *why);

/* What a ledger's gate is to hold for a study: infinite where the study has no noise, which is a
 * rehearsal that the policy allowed. */
struct books_limits policy_limits(const struct policy *policy, const struct study *study);

/* Whom the lifetime's limit protects. */
enum study_unit policy_protects(const struct policy *policy);

/* Say which limit would be crossed, with its key and line here, or none if it is the study's. */
void policy_refusal(struct settings_error *why, const struct policy *policy,
                    const struct study *study, const struct books_refusal *refusal);

#endif
