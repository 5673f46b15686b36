/* SPDX-License-Identifier: Apache-2.0 */
/* An example of each message, and its reader and writer in one form: what the sweeps of test_msg.c,
 * the fuzz target and its corpus share. */
#ifndef TESTS_LIB_MESSAGES_H
#define TESTS_LIB_MESSAGES_H

#include "protocol/msg_wire.h"

#define MESSAGES_N 5          /* members */
#define MESSAGES_SEGMENTS 2   /* of the plan */
#define MESSAGES_HOLDERS 3    /* of a dealer's shares */
#define MESSAGES_SEALED_MAX 9 /* bytes of a sealed part */

/* Who signs the examples. */
extern const uint8_t messages_seed[SIGN_SEED_BYTES];
void messages_signer(uint8_t key[static SIGN_PUBLIC_BYTES]);

/* The plan of the examples, made at the first call; all lives as long as the program. */
const struct plan *messages_plan(void);

struct message {
    const char *name;
    bool is_signed;
    /* Append the example. */
    void (*write)(struct buffer *out);
    /* Read a message and write again what was read. Stops when a reader that failed has changed
     * its output. */
    enum status (*again)(struct buffer *out, struct view in, const uint8_t *key);
};
/* By kind; the first is empty. */
extern const struct message messages[MSG_KIND_COUNT];

/* n bytes of the example, prolonged with zeros, and signed anew; the signature does not count. */
void message_cut(struct buffer *out, enum msg_kind kind, size_t n);
/* Read the example with the byte at a place changed from one value to another, signed anew. */
enum status message_with(enum msg_kind kind, size_t at, uint8_t from, uint8_t to);
/* The same with no memory at all; whether it was malformed and nothing was asked for. */
bool message_refused(enum msg_kind kind, size_t at, uint8_t to);

bool messages_zero(const void *at, size_t n);

#endif
