/* SPDX-License-Identifier: Apache-2.0 */
/* Pad keys: equal at both ends, and different as soon as anything that they bind differs. */
#include "protocol/pads.h"

#include <string.h>

#include "crypto/kdf.h"
#include "tests/lib/check.h"

struct bound {
    uint8_t secret[32];
    struct hash plan, roster, dealers;
    uint32_t segment;
};

static const struct bound base = {
    {1, 2, 3}, {{4, 5}}, {{6, 7}}, {{8, 9}}, 3,
};

static struct pad self_of(const struct bound *b)
{
    struct pad pad = {0};
    pads_self(&pad, b->secret, &b->plan, &b->roster, b->segment);
    return pad;
}

static struct pad pair_of(const struct bound *b, uint32_t u, uint32_t v)
{
    struct pad pad = {0};
    pads_pair(&pad, b->secret, &b->plan, &b->roster, &b->dealers, b->segment, u, v);
    return pad;
}

static bool same_key(const struct pad *a, const struct pad *b)
{
    return memcmp(a->key, b->key, sizeof a->key) == 0;
}

static void both_ends_have_one_key_and_opposite_signs(void)
{
    const struct pad here = pair_of(&base, 2, 5), there = pair_of(&base, 5, 2);
    CHECK(same_key(&here, &there));
    CHECK_NUMBER(1, here.sign);
    CHECK_NUMBER(-1, there.sign);
    CHECK_NUMBER(1, self_of(&base).sign);
}

static void everything_that_is_bound_changes_the_key(void)
{
    struct bound other[5] = {base, base, base, base, base};
    other[0].secret[31] ^= 1;
    other[1].plan.bytes[31] ^= 1;
    other[2].roster.bytes[31] ^= 1;
    other[3].segment ^= 1u << 31;
    other[4].dealers.bytes[31] ^= 1;
    struct pad seen[12];
    size_t n = 0;
    seen[n++] = self_of(&base);
    seen[n++] = pair_of(&base, 2, 5);
    for (size_t i = 0; i < 5; i++) seen[n++] = pair_of(&other[i], 2, 5);
    for (size_t i = 0; i < 4; i++) seen[n++] = self_of(&other[i]);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) CHECK(!same_key(&seen[i], &seen[j]));
    /* A site's own pads do not depend on who dealt. */
    const struct pad own = self_of(&other[4]);
    CHECK(same_key(&seen[0], &own));
}

/* The derivation, written out once more. */
static void the_key_is_the_kdf_of_label_hashes_and_segment(void)
{
    uint8_t context[100] = {0}, want[32];
    memcpy(context, base.plan.bytes, 32);
    memcpy(context + 32, base.roster.bytes, 32);
    memcpy(context + 64, base.dealers.bytes, 32);
    context[96] = 3;
    kdf_derive(want, base.secret, "pair pad", (struct view){context, 100});
    const struct pad pair = pair_of(&base, 0, 1);
    CHECK_BYTES(want, pair.key, 32);
    memset(context + 64, 0, 32);
    context[64] = 3;
    kdf_derive(want, base.secret, "self pad", (struct view){context, 68});
    const struct pad self = self_of(&base);
    CHECK_BYTES(want, self.key, 32);
}

static void each_segment_of_each_round_has_its_own_order(void)
{
    const struct hash want = pads_order(&base.roster, 3), other = pads_order(&base.dealers, 3),
                      next = pads_order(&base.roster, 3u << 24);
    CHECK(!hash_equal(&want, &other) && !hash_equal(&want, &next));
    struct hash_state state;
    hash_start(&state, "pads");
    hash_add(&state, base.roster.bytes, HASH_BYTES);
    hash_add(&state, (const uint8_t[]){3, 0, 0, 0}, 4);
    const struct hash got = hash_end(&state);
    CHECK(hash_equal(&want, &got));
}

int main(void)
{
    RUN(both_ends_have_one_key_and_opposite_signs);
    RUN(everything_that_is_bound_changes_the_key);
    RUN(the_key_is_the_kdf_of_label_hashes_and_segment);
    RUN(each_segment_of_each_round_has_its_own_order);
    return check_done();
}
