/* SPDX-License-Identifier: Apache-2.0 */
/* A planted leak: a branch on a bit of a secret share. Must end with 42. */
#include "crypto/share.h"
#include "tests/ctime/ctime.h"

int main(void)
{
    uint8_t secret[SHARE_BYTES] = {7}, shares[3 * SHARE_BYTES];
    struct rng rng;
    rng_numbered(&rng, 1);
    SECRET(secret, sizeof secret);
    CHECK_OK(share_split(shares, secret, 3, 2, &SHARE_FIELD, &rng));
    volatile int odd = 0;
    if ((shares[0] & 1) != 0) odd = 1;
    PUBLIC(shares, sizeof shares);
    CHECK_NUMBER(shares[0] & 1, odd);
    return check_done();
}
