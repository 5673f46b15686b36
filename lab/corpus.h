/* SPDX-License-Identifier: Apache-2.0 */
/* The data of a study that is played on one machine: records to train with, and those held out of
 * them to test on. */
#ifndef LAB_CORPUS_H
#define LAB_CORPUS_H

#include "client/data/records.h"
#include "client/data/split.h"
#include "crypto/hash.h"

/* The options that name them, for a program's argp; the child's input is a struct records. Nothing
 * named: Fashion-MNIST as Debian's package dataset-fashion-mnist installs it. */
extern const struct argp_child corpus_options[];

/* What is wrong with the way they are named, or NULL. Those to test on are needed; of an npz its
 * split "test" is meant where no split was said. */
const char *corpus_usage(const struct records *records);

/* A partition as --partition names it, or the end of the program. */
struct split corpus_split(struct argp_state *state, const char *name);

/* Read both. As records_read. */
MUST_USE enum status corpus_read(struct dataset *train, struct dataset *test,
                                 const struct records *records, struct data_error *why);

/* All parts as one, without keys: who a record is from is not needed any more. The parts, one at
 * least and of one shape, are taken over and empty afterwards; on STATUS_NOMEM some are. */
MUST_USE enum status corpus_pool(struct dataset *out, struct dataset *part, uint32_t n);

/* Names a data set by its shape, pixels and labels. */
struct hash corpus_hash(const struct dataset *data);

#endif
