/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/bundle.h"

#include <string.h>

#include "crypto/seal.h"
#include "tests/lib/check.h"
#include "tests/lib/messages.h"
#include "tests/lib/oom.h"

static void a_commitment_binds_everything_about_a_share(void)
{
    const uint8_t session[MSG_SESSION_BYTES] = {9}, salt[HASH_BYTES] = {1},
                  share[SHARE_BYTES] = {2}, other[32] = {3};
    const struct hash want = bundle_commit(session, 1, 2, 3, salt, share);
    const struct hash got[] = {
        bundle_commit(other, 1, 2, 3, salt, share),    bundle_commit(session, 0, 2, 3, salt, share),
        bundle_commit(session, 1, 0, 3, salt, share),  bundle_commit(session, 1, 2, 0, salt, share),
        bundle_commit(session, 1, 2, 3, other, share), bundle_commit(session, 1, 2, 3, salt, other),
        bundle_commit(session, 2, 1, 3, salt, share),
    };
    for (size_t i = 0; i < sizeof got / sizeof *got; i++) CHECK(!hash_equal(&want, &got[i]));
    uint8_t first[HASH_BYTES], second[HASH_BYTES];
    bundle_salt(first, salt, 0);
    bundle_salt(second, salt, 1);
    CHECK(memcmp(first, second, sizeof first) != 0);
}

static void a_leaf_is_of_all_commitments(void)
{
    AUTO(bundle_free) struct bundle bundle = {0};
    CHECK_OK(bundle_new(&bundle, 2));
    CHECK(messages_zero(bundle.place, 2 * sizeof *bundle.place));
    const struct hash leaf = bundle_leaf(&bundle);
    for (size_t i = 0; i < 2; i++) {
        bundle.place[i].commitment.bytes[0] ^= 1;
        const struct hash changed = bundle_leaf(&bundle);
        CHECK(!hash_equal(&leaf, &changed));
        bundle.place[i].commitment.bytes[0] ^= 1;
    }
    bundle_free(&bundle);
    CHECK(bundle.n == 0 && bundle.place == NULL);
    bundle_free(&bundle);
}

static void a_bundle_needs_memory(void)
{
    struct bundle bundle = {0};
    oom_start(1);
    const enum status status = bundle_new(&bundle, 2);
    oom_stop();
    CHECK_STATUS(STATUS_NOMEM, status);
    CHECK(bundle.n == 0 && bundle.place == NULL);
}

/* One of the pair seed, one a segment, one a removable part of the noise: none falls on another. */
static void every_place_has_a_share_of_its_own(void)
{
    struct plan plan = *messages_plan();
    CHECK_NUMBER(0, BUNDLE_PAIR);
    CHECK_NUMBER(BUNDLE_PAIR + 1, BUNDLE_SELF(0));
    CHECK_NUMBER(BUNDLE_SELF(plan.n_segments - 1) + 1, BUNDLE_NOISE(&plan, 1));
    CHECK_NUMBER(BUNDLE_NOISE(&plan, plan.removable) + 1, bundle_places(&plan));
    CHECK_NUMBER(5, bundle_places(&plan));
    CHECK_NUMBER(SEAL_EXTRA_BYTES + HASH_BYTES + 5 * SHARE_BYTES, bundle_sealed_max(&plan));
    plan.n_segments = MSG_SEGMENTS_MAX;
    plan.removable = XNOISE_REMOVABLE_MAX;
    CHECK_NUMBER(BUNDLE_PLACES_MAX, bundle_places(&plan));
    CHECK(BUNDLE_PLACES_MAX <= UINT8_MAX); /* it is counted in one byte */
}

int main(void)
{
    RUN(a_commitment_binds_everything_about_a_share);
    RUN(a_leaf_is_of_all_commitments);
    RUN(a_bundle_needs_memory);
    RUN(every_place_has_a_share_of_its_own);
    return check_done();
}
