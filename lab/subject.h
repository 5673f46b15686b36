/* SPDX-License-Identifier: Apache-2.0 */
/* What an audit of a model begins with: a study, the weights that it starts from, and the weights
 * of a model that it ended with. */
#ifndef LAB_SUBJECT_H
#define LAB_SUBJECT_H

#include <stdio.h>

#include "base/command.h"
#include "client/backbone.h"
#include "client/model/model.h"
#include "lab/verdict.h"
#include "protocol/books.h"
#include "protocol/state.h"

struct subject {
    const char *path; /* of the study's file; borrowed */
    struct study study;
    struct backbone backbone;
    struct model model;
    float *initial; /* model.layout.n; owned */
};

/* Read the study, and its backbone if it has one; draw initial weights. Says on standard error,
 * after the audit's name, what is wrong. */
MUST_USE enum exit_code subject_open(struct subject *out, const char *audit, const char *path,
                                     const char *backbone, struct rng *rng);
void subject_free(struct subject *subject);

/* Read a model of the study: a state file, or safetensors with all its tensors. Zeros are taken for
 * what was pruned away. Says what is wrong. */
MUST_USE enum exit_code subject_model(struct state *out, const struct subject *subject,
                                      const char *audit, const char *path);

/* The claim that is tested when somebody reads the models of a study: its epsilon against them, in
 * its unit. False where there is none, for there is no noise, or the unit is a site: what its
 * records may expect is four times the squared norm, and nobody claims it. dropouts is borrowed. */
bool subject_claim(struct verdict_claim *out, const struct subject *subject, double epsilon,
                   const char *dropouts);

/* Warn where a study that protects patients is planned for another number of records than it is
 * about to be trained on: its steps are then not those that it was planned with. */
void subject_warn(const struct subject *subject, const char *audit, size_t records);

/* Open folder/name to be written, making the folder if there is none. NULL: said why. */
FILE *subject_file(const char *audit, const char *folder, const char *name);

/* The finding of an attack whose headline's bound stands against a claim, or against none, and the
 * first sentence of the summary; `more` is appended. Bounds are cut off, not rounded.
 * most  what the bound would be had every guess been right: where that is not above the claim, the
 *       attack could not have refuted it, and its finding is open. */
void subject_judge(struct verdict *verdict, double most, const char *more);

#endif
