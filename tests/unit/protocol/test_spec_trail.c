/* SPDX-License-Identifier: Apache-2.0 */
/* What a party can show is what its tables in protocol/SPEC.md, section 15, say. */
#include <string.h>

#include "protocol/trail_round.h"
#include "tests/lib/check.h"
#include "tests/unit/protocol/spec.h"

#define N 7
#define SEGMENTS 2
#define COHORT 4
#define CONFIRMS 3

static const struct outer outer[] = {
    {"n", N}, {"segments", SEGMENTS}, {"cohort", COHORT}, {"nothing", 0}, {NULL, 0}};

static void an_entry_is_as_described(void)
{
    struct trail_entry entry = {.kind = TRAIL_SENT};
    const uint8_t kind = TRAIL_SENT;
    PUT("number", "u64", entry.number);
    PUT("previous", "hash", entry.previous);
    PUT("time", "u64", entry.time_s);
    PUT("signer", "key", entry.signer);
    PUT("ledger entries", "u64", entry.ledger.n);
    PUT("ledger head", "hash", entry.ledger.hash);
    want("kind", "u8", &kind, 1);
    entry.body = put_bytes("body", "blob", 11);
    AUTO(buffer_free) struct buffer bytes = {0};
    trail_entry_write(&bytes, &entry);
    check_table("TRAIL", buffer_view(&bytes));
}

static void a_message_sent_is_as_described(void)
{
    struct trail_sent sent = {.kind = MSG_MASKED};
    const uint8_t kind = MSG_MASKED;
    PUT("round", "u32", sent.round);
    want("message", "u8", &kind, 1);
    PUT("size", "u32", sent.bytes);
    AUTO(buffer_free) struct buffer bytes = {0};
    trail_sent_write(&bytes, &sent);
    check_table("SENT", buffer_view(&bytes));
}

static void a_round_is_as_described(void)
{
    static const char *const letter[] = {"ADVERT", "POSITION", "SHARES",
                                         "MASKED", "CONFIRM",  "UNMASK"};
    uint64_t who = 0x62, opened = 2; /* five, six and one */
    struct hash digest[CONFIRMS];
    struct confirm confirm[CONFIRMS];
    uint32_t taken[COHORT][TRAIL_LETTERS];
    uint16_t why;
    const uint32_t confirms = CONFIRMS;
    struct trail_round round = {.n_digests = 3,
                                .digest = digest,
                                .n_confirms = CONFIRMS,
                                .confirm = confirm,
                                .n_cohort = COHORT,
                                .taken = taken};
    round.plan_bytes = put_bytes("plan", "blob", 9);
    PUT("reason", "u16", why);
    round.why = (enum reason)why;
    PUT("roster", "hash", round.roster);
    PUT("dealers", "hash", round.dealers);
    round.survivors = put_bits("survivors", N, &who);
    round.opened = put_bits("opened", SEGMENTS, &opened);
    for (int i = 0; i < 3; i++) PUT("digest", "hash", digest[i]);
    want("confirmations", "u32", &confirms, sizeof confirms);
    for (int i = 0; i < CONFIRMS; i++) {
        PUT("from", "u32", confirm[i].from);
        PUT("confirmation", "sig", confirm[i].signature);
    }
    for (int i = 0; i < COHORT; i++)
        for (int k = 0; k < TRAIL_LETTERS; k++) PUT(letter[k], "u32", taken[i][k]);
    round.result_bytes = put_bytes("result", "blob", 10);
    AUTO(buffer_free) struct buffer bytes = {0};
    trail_round_write(&bytes, &round);
    check_table("ROUND", buffer_view(&bytes));
}

static void an_end_is_as_described(void)
{
    struct trail_end end = {0};
    uint16_t why;
    PUT("round", "u32", end.round);
    PUT("reason", "u16", why);
    end.why = (enum reason)why;
    AUTO(buffer_free) struct buffer bytes = {0};
    trail_end_write(&bytes, &end);
    check_table("END", buffer_view(&bytes));
}

static void every_kind_is_named(void)
{
    (void)check_kind("MEMORY", TRAIL_MEMORY);
    (void)check_kind("SENT", TRAIL_SENT);
    (void)check_kind("ROUND", TRAIL_ROUND);
    (void)check_kind("END", TRAIL_END);
    check_all_kinds_were_used(TRAIL_KINDS - 1);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    CHECK(spec_open(argv[1], "## 6. Messages", outer));
    CHECK(spec_kinds("### TRAIL", "| kind | entry | written by |"));
    RUN(an_entry_is_as_described);
    RUN(a_message_sent_is_as_described);
    RUN(a_round_is_as_described);
    RUN(an_end_is_as_described);
    RUN(every_kind_is_named);
    spec_close();
    return check_done();
}
