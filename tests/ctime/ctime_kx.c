/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/kx.h"

#include "tests/ctime/ctime.h"

static void pair_secrets_leave_no_trace(void)
{
    uint8_t a[KX_SEED_BYTES] = {1}, b[KX_SEED_BYTES] = {2};
    uint8_t public_a[KX_PUBLIC_BYTES], public_b[KX_PUBLIC_BYTES];
    uint8_t ab[KX_SHARED_BYTES], ba[KX_SHARED_BYTES];
    SECRET(a, sizeof a);
    SECRET(b, sizeof b);
    kx_public(public_a, a, "mask");
    kx_public(public_b, b, "mask");
    PUBLIC(public_a, sizeof public_a);
    PUBLIC(public_b, sizeof public_b);
    CHECK_OK(kx_agree(ab, a, public_b, "mask"));
    CHECK_OK(kx_agree(ba, b, public_a, "mask"));
    PUBLIC(ab, sizeof ab);
    PUBLIC(ba, sizeof ba);
    CHECK_BYTES(ab, ba, sizeof ab);
}

static void a_refused_peer_leaves_no_trace(void)
{
    uint8_t seed[KX_SEED_BYTES] = {1}, shared[KX_SHARED_BYTES];
    const uint8_t low_order[KX_PUBLIC_BYTES] = {0};
    SECRET(seed, sizeof seed);
    CHECK_STATUS(STATUS_AUTH, kx_agree(shared, seed, low_order, "mask"));
}

static void transport_keys_leave_no_trace(void)
{
    uint8_t secret[KX_SEED_BYTES] = {1}, public_key[KX_PUBLIC_BYTES];
    SECRET(secret, sizeof secret);
    kx_transport_public(public_key, secret);
    PUBLIC(public_key, sizeof public_key);
    CHECK(kx_acceptable(public_key));
}

int main(void)
{
    RUN(marks_are_seen);
    RUN(pair_secrets_leave_no_trace);
    RUN(a_refused_peer_leaves_no_trace);
    RUN(transport_keys_leave_no_trace);
    return check_done();
}
