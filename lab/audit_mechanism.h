/* SPDX-License-Identifier: Apache-2.0 */
/* What audit_mechanism.c plays and audit_mechanism_report.c tells. Private to them. */
#ifndef LAB_AUDIT_MECHANISM_H
#define LAB_AUDIT_MECHANISM_H

#include "base/command.h"
#include "lab/trial.h"

struct mechanism_audit {
    const char *path, *folder; /* of the study; to write to, or NULL */
    bool json, sampled;
    enum trial_method method; /* the headline's, declared before the run */
    double confidence;
    uint32_t trials_asked, repetitions; /* 0: as many as are needed; at least 1 */
    struct booth_settings booth;
    struct study study;

    /* Of the last repetition. */
    struct trial_claim claim;
    struct trials trials;
    struct trial_bound bound[METHOD_COUNT];
    bool shown[METHOD_COUNT]; /* methods that hold for the claim */
    double power;             /* the least violation that is caught */
    double expected;          /* the headline of an honest build, about */
    uint32_t rounds, n_canaries, n_idle, width, n, honest, colluding;
    double *repeated; /* the headline of each repetition; owned */
};

/* Print the verdict, and write it and its tables to the folder. */
MUST_USE enum exit_code mechanism_report(const struct mechanism_audit *audit);

#endif
