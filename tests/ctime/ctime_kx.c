/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/kx.h"

#include "tests/ctime/ctime.h"

static void pair_secrets_leave_no_trace(void)
{
    uint8_t seed_a[KX_SEED_BYTES] = {1}, seed_b[KX_SEED_BYTES] = {2};
    uint8_t ab[KX_SHARED_BYTES], ba[KX_SHARED_BYTES];
    struct kx_pair a, b;
    SECRET(seed_a, sizeof seed_a);
    SECRET(seed_b, sizeof seed_b);
    kx_pair_of(&a, seed_a, "mask");
    kx_pair_of(&b, seed_b, "mask");
    CHECK_OK(kx_agree(ab, &a, b.public_key));
    CHECK_OK(kx_agree(ba, &b, a.public_key));
    reveal(ab, sizeof ab);
    reveal(ba, sizeof ba);
    CHECK_BYTES(ab, ba, sizeof ab);
}

static void a_refused_peer_leaves_no_trace(void)
{
    uint8_t seed[KX_SEED_BYTES] = {1}, shared[KX_SHARED_BYTES];
    const uint8_t low_order[KX_PUBLIC_BYTES] = {0};
    SECRET(seed, sizeof seed);
    struct kx_pair own;
    kx_pair_of(&own, seed, "mask");
    CHECK_STATUS(STATUS_AUTH, kx_agree(shared, &own, low_order));
}

static void transport_keys_leave_no_trace(void)
{
    uint8_t secret[KX_SEED_BYTES] = {1}, public_key[KX_PUBLIC_BYTES];
    SECRET(secret, sizeof secret);
    kx_transport_public(public_key, secret);
    reveal(public_key, sizeof public_key);
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
