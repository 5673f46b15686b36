/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "crypto/share.h"
#include "tests/ctime/ctime.h"

static const struct share_field narrow = {{13}};

static void random_elements_are_drawn_without_a_trace(const struct share_field *field)
{
    struct rng rng;
    rng_numbered(&rng, 1);
    SECRET(rng.key, sizeof rng.key);
    uint8_t element[SHARE_BYTES];
    share_random(element, field, &rng);
    reveal(element, sizeof element);
    CHECK(share_canonical(element, field));
}

static void secrets_are_split_and_joined_without_a_trace(const struct share_field *field)
{
    uint8_t secret[SHARE_BYTES] = {7}, shares[9 * SHARE_BYTES], got[SHARE_BYTES];
    const uint8_t want[SHARE_BYTES] = {7};
    struct rng rng;
    rng_numbered(&rng, 1);
    SECRET(rng.key, sizeof rng.key);
    SECRET(secret, sizeof secret);
    CHECK_OK(share_split(shares, secret, 9, 8, field, &rng));
    AUTO(share_weights_free) struct share_weights weights = {0};
    CHECK_OK(share_weights_new(&weights, (uint32_t[]){0, 1, 2, 3, 4, 5, 6, 7}, 8, field));
    CHECK_OK(share_join(got, shares, &weights, field));
    reveal(got, sizeof got);
    CHECK_BYTES(want, got, sizeof got);
}

static void large_field(void)
{
    random_elements_are_drawn_without_a_trace(&SHARE_FIELD);
    secrets_are_split_and_joined_without_a_trace(&SHARE_FIELD);
}

static void small_field(void)
{
    random_elements_are_drawn_without_a_trace(&narrow);
    secrets_are_split_and_joined_without_a_trace(&narrow);
}

int main(void)
{
    RUN(marks_are_seen);
    RUN(large_field);
    RUN(small_field);
    return check_done();
}
