/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers share: a file in memory, sizes checked before they are allocated, and sentences
 * for people. */
#ifndef CLIENT_DATA_SOURCE_H
#define CLIENT_DATA_SOURCE_H

#include "client/data/data.h"

/* Deflate makes at most this many bytes out of one. */
#define SOURCE_DEFLATE_MAX 1032

/* Write the sentence and return the status, so that a refusal is one line. */
enum status source_refuse(struct data_error *why, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Read a regular file of at most `limit` bytes into out, owned by the caller.
 * STATUS_IO, STATUS_RANGE (too large), STATUS_NOMEM. */
MUST_USE enum status source_read(struct buffer *out, const char *path, uint64_t limit,
                                 struct data_error *why);

/* Take over sizes that a file claims, if they are within the limits of data.h.
 * STATUS_FORMAT  a size is zero. STATUS_RANGE  too large. out is untouched then. */
MUST_USE enum status source_shape(struct dataset *out, uint64_t n, uint64_t channels,
                                  uint64_t height, uint64_t width, struct data_error *why);

/* Allocate pixels and labels of a shape that source_shape let pass.
 * STATUS_NOMEM  what was allocated stays in data, for dataset_free. */
MUST_USE enum status source_new(struct dataset *data, struct data_error *why);

/* Set classes to the largest label + 1. */
void source_count_classes(struct dataset *data);

#endif
