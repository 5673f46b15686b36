/* SPDX-License-Identifier: Apache-2.0 */
/* A whole message and the parts that several messages have. */
#ifndef TESTS_UNIT_PROTOCOL_SPEC_MESSAGE_H
#define TESTS_UNIT_PROTOCOL_SPEC_MESSAGE_H

#include "protocol/bundle.h"
#include "protocol/msg.h"
#include "tests/unit/protocol/spec.h"

extern const uint8_t spec_seed[SIGN_SEED_BYTES]; /* who signs */

#define PUT_SESSION(x) PUT("session", "session", (x).session)
/* count results, and their number before them. */
void put_results(struct buffer *out, uint32_t count);
/* A hash for each segment, and their number before them. */
void put_hashes(const char *name, struct hash *hash, uint8_t segments);
/* A share, or what was promised of it. */
void put_place(struct place *place, uint8_t have);

/* Compare a whole message with its table and its kind, and free it. */
void check_message(const char *name, struct buffer *bytes);

#endif
