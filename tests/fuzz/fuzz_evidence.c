/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: evidence_read, and of each line trail_entry_read, trail_sent_read and
 * trail_end_read; and trail_round_read, in rounds of five sites whose coordinator signs with the
 * seed 7. */
#include <string.h>

#include "protocol/evidence.h"
#include "protocol/trail_round.h"
#include "tests/fuzz/fuzz.h"

#define N 5

static void read_round(struct view in)
{
    static const uint8_t seed[SIGN_SEED_BYTES] = {7};
    uint8_t server[SIGN_PUBLIC_BYTES];
    AUTO(trail_round_free) struct trail_round round = {0};
    sign_public(server, seed);
    if (trail_round_read(&round, in, N, server) != STATUS_OK) {
        REQUIRE(round.digest == NULL && round.taken == NULL);
        return;
    }
    AUTO(buffer_free) struct buffer again = {0};
    trail_round_write(&again, &round);
    REQUIRE(again.n == in.n && memcmp(again.at, in.at, in.n) == 0);
}

static void read_entry(struct view in)
{
    struct trail_entry entry = {0};
    struct trail_sent sent = {0};
    struct trail_end end = {0};
    if (trail_entry_read(&entry, in) != STATUS_OK) return;
    AUTO(buffer_free) struct buffer again = {0};
    trail_entry_write(&again, &entry);
    REQUIRE(again.n == in.n && memcmp(again.at, in.at, in.n) == 0);
    AUTO(buffer_free) struct buffer body = {0};
    if (trail_sent_read(&sent, entry.body) == STATUS_OK)
        trail_sent_write(&body, &sent);
    else if (trail_end_read(&end, entry.body) == STATUS_OK)
        trail_end_write(&body, &end);
    else
        return;
    REQUIRE(body.n == entry.body.n && memcmp(body.at, entry.body.at, body.n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct view in = {data, size};
    AUTO(evidence_free) struct evidence evidence = {0};
    if (evidence_read(&evidence, in) != STATUS_OK) {
        REQUIRE(evidence.trail == NULL);
        read_round(in);
        return 0;
    }
    for (size_t i = 0; i < evidence.n_trail; i++) read_entry(evidence.trail[i].bytes);
    return 0;
}
