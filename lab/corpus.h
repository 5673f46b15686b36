/* SPDX-License-Identifier: Apache-2.0 */
/* The data of a study that is played on one machine: records to train with, records to test on, and
 * whose are which. */
#ifndef LAB_CORPUS_H
#define LAB_CORPUS_H

#include "client/data/data.h"
#include "crypto/hash.h"

/* As the command line names them; NULL where nothing was said. All NULL: Fashion-MNIST as Debian's
 * package dataset-fashion-mnist installs it. */
struct corpus {
    const char *data, *labels;           /* idx; or data alone: npz with a train and a test split */
    const char *test_data, *test_labels; /* idx */
    const char *schema;                  /* data and test_data are tables: csv */
};

/* What is wrong with the way they are named, or NULL. */
const char *corpus_usage(const struct corpus *corpus);

/* Read both. As idx_read. */
MUST_USE enum status corpus_read(struct dataset *train, struct dataset *test,
                                 const struct corpus *corpus, struct data_error *why);

/* All parts as one, without keys: who a record is from is not needed any more. The parts, one at
 * least and of one shape, are taken over and empty afterwards; on STATUS_NOMEM some are. */
MUST_USE enum status corpus_pool(struct dataset *out, struct dataset *part, uint32_t n);

/* Names a data set by its shape, pixels and labels. */
struct hash corpus_hash(const struct dataset *data);

#endif
