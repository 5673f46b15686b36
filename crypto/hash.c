/* SPDX-License-Identifier: Apache-2.0 */
/* BLAKE2b-256 (RFC 7693) over unambiguous strings; the state is wiped at the end because a pair
 * secret is made by it too (crypto/kx.c). */
#include "crypto/hash.h"

#include <sodium.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/setup.h"

_Static_assert(sizeof(crypto_generichash_state) <= sizeof(struct hash_state), "state too small");
_Static_assert(_Alignof(crypto_generichash_state) <= _Alignof(struct hash_state), "misaligned");

static crypto_generichash_state *inner(struct hash_state *state)
{
    return (crypto_generichash_state *)state->opaque;
}

static void update(struct hash_state *state, const void *in, size_t n)
{
    if (n > 0) crypto_generichash_update(inner(state), in, n);
}

static void update_u64(struct hash_state *state, uint64_t x)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(x >> (8 * i));
    update(state, bytes, sizeof bytes);
}

void hash_start(struct hash_state *state, const char *label)
{
    const size_t n = strlen(label);
    REQUIRE(n <= UINT8_MAX);
    setup_sodium();
    crypto_generichash_init(inner(state), NULL, 0, HASH_BYTES);
    update(state, "SA1", 3);
    update(state, &(uint8_t){(uint8_t)n}, 1);
    update(state, label, n);
}

void hash_add(struct hash_state *state, const void *part, size_t n)
{
    update_u64(state, n);
    update(state, part, n);
}

void hash_add_u64(struct hash_state *state, uint64_t x)
{
    update_u64(state, sizeof x);
    update_u64(state, x);
}

struct hash hash_end(struct hash_state *state)
{
    struct hash hash;
    crypto_generichash_final(inner(state), hash.bytes, sizeof hash.bytes);
    secret_wipe(state, sizeof *state);
    return hash;
}

struct hash hash_of(const char *label, struct view data)
{
    struct hash_state state;
    hash_start(&state, label);
    hash_add(&state, data.at, data.n);
    return hash_end(&state);
}

bool hash_equal(const struct hash *a, const struct hash *b)
{
    return secret_equal(a->bytes, b->bytes, HASH_BYTES);
}

bool hash_is_zero(const struct hash *h)
{
    return hash_equal(h, &(struct hash){0});
}

void hash_hex(char *out, const struct hash *h, size_t n)
{
    REQUIRE(n <= HASH_BYTES);
    sodium_bin2hex(out, 2 * n + 1, h->bytes, n);
}
