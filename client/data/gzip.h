/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that may or may not be one gzip member, inflated in memory no further than the caller has
 * said. */
#ifndef CLIENT_DATA_GZIP_H
#define CLIENT_DATA_GZIP_H

#include <stdbool.h>

#include "client/data/data.h"

/* Whether it begins as a gzip member does. */
bool gzip_is(struct view in);

/* Whether so few bytes can hold n bytes: asked before n bytes are allocated. */
bool gzip_may_hold(struct view in, uint64_t n);

/* Unpack the first n_head bytes and, unless body is NULL, the n_body bytes after them, which then
 * must be the last. False when they are not there or damaged; head and body may be overwritten. */
MUST_USE bool gzip_unpack(struct view in, uint8_t *head, size_t n_head, uint8_t *body,
                          size_t n_body);

/* Inflate all of a gzip member, whatever its length, appended to out.
 * STATUS_FORMAT  damaged. STATUS_RANGE  more than limit bytes. STATUS_NOMEM. What out holds then is
 * the caller's to throw away. */
MUST_USE enum status gzip_inflate(struct buffer *out, struct view in, size_t limit,
                                  struct data_error *why);

#endif
