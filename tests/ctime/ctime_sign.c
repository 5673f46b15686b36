/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sign.h"

#include "tests/ctime/ctime.h"

static void the_identity_seed_leaves_no_trace(void)
{
    const struct view message = {.at = (const uint8_t *)"message", .n = 7};
    uint8_t seed[SIGN_SEED_BYTES] = {1}, public_key[SIGN_PUBLIC_BYTES], signature[SIGN_BYTES];
    SECRET(seed, sizeof seed);
    sign_public(public_key, seed);
    reveal(public_key, sizeof public_key);
    sign_make(signature, seed, "test", message);
    reveal(signature, sizeof signature);
    CHECK(sign_check(signature, public_key, "test", message));
}

int main(void)
{
    RUN(marks_are_seen);
    RUN(the_identity_seed_leaves_no_trace);
    return check_done();
}
