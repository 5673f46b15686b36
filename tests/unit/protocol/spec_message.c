/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/protocol/spec_message.h"

#include <string.h>

#include "tests/lib/check.h"

const uint8_t spec_seed[SIGN_SEED_BYTES] = {1};

void put_results(struct buffer *out, uint32_t count)
{
    want("count", "u32", &count, sizeof count);
    for (uint32_t i = 0; i < count; i++) {
        const struct view result = put_bytes("result", "blob", 3 + i);
        write_blob(out, result.at, result.n);
    }
}

void put_hashes(const char *name, struct hash *hash, uint8_t segments)
{
    want("segments", "u8", &segments, 1);
    for (size_t l = 0; l < segments; l++) PUT(name, "hash", hash[l]);
}

void put_place(struct place *place, uint8_t have)
{
    want("have", "u8", &have, 1);
    place->have = have == 1;
    if (have == 1) {
        PUT("share", "share", place->share);
        PUT("salt", "salt", place->salt);
    } else {
        PUT("commitment", "hash", place->commitment);
    }
}

void check_message(const char *name, struct buffer *bytes)
{
    CHECK(memcmp(bytes->at, "SA1", 3) == 0);
    if (strcmp(check_kind(name, bytes->at[3])->cell[3], "yes") == 0) {
        uint8_t signature[SIGN_BYTES];
        sign_make(signature, spec_seed, "SA1-message",
                  (struct view){bytes->at, bytes->n - SIGN_BYTES});
        want("signature", "sig", signature, sizeof signature);
    }
    check_table(name, (struct view){bytes->at + 4, bytes->n - 4});
    buffer_free(bytes);
}
