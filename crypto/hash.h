/* SPDX-License-Identifier: Apache-2.0 */
/* BLAKE2b-256 over labelled, length-prefixed parts. Every hashed or signed string begins with
 * "SA1", a label and lengths, so that no string made for one purpose fits another. */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define HASH_BYTES 32

struct hash {
    uint8_t bytes[HASH_BYTES];
};

/* Hash of "SA1" || u8 label length || label || u64 length || data. */
struct hash hash_of(const char *label, struct view data);

/* Incremental form: equal to hash_of with the u64 length left out and each part prefixed by its
 * own u64 length; the state is 384 bytes, aligned. */
struct hash_state {
    _Alignas(64) uint8_t opaque[384];
};
void hash_start(struct hash_state *state, const char *label);
void hash_add(struct hash_state *state, const void *part, size_t n);
void hash_add_u64(struct hash_state *state, uint64_t x);
struct hash hash_end(struct hash_state *state);

/* Constant time. */
bool hash_equal(const struct hash *a, const struct hash *b);
bool hash_is_zero(const struct hash *h);
/* Lower-case hex of the first n bytes into out[2 n + 1]. */
void hash_hex(char *out, const struct hash *h, size_t n);

#endif
