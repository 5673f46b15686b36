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

/* Hash of "SA1" || u8 label length || label || u64 length || data; a label has at most 255
 * characters. */
struct hash hash_of(const char *label, struct view data);

/* The same purpose for long data, three times as fast: the data, filled up with zeros to a multiple
 * of 512 bytes (512 when empty), is read as 64-bit words that go round to four lanes, word i to
 * lane i mod 4. Each lane is hashed by plain BLAKE2b-256, and the result is that of
 * hash_start(label), hash_add_u64(length) and hash_add of each lane's hash, so two data with one
 * hash give a collision of BLAKE2b-256. For public data: nothing is wiped. */
struct hash hash_long(const char *label, struct view data);

/* Incremental form: "SA1" || u8 label length || label, then each part behind its own u64 length, so
 * that one part gives hash_of. The state is wiped by hash_end. */
struct hash_state {
    _Alignas(64) uint8_t opaque[384];
};
void hash_start(struct hash_state *state, const char *label);
void hash_add(struct hash_state *state, const void *part, size_t n);
/* A part of eight little-endian bytes. */
void hash_add_u64(struct hash_state *state, uint64_t x);
struct hash hash_end(struct hash_state *state);

/* Hashes are compared in constant time. */
bool hash_equal(const struct hash *a, const struct hash *b);
bool hash_is_zero(const struct hash *h);
/* Lower-case hex of the first n bytes into out[2 n + 1]. */
void hash_hex(char *out, const struct hash *h, size_t n);

#endif
