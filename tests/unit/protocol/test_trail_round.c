/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/trail_round.h"

#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define N 5

static const uint8_t server_seed[SIGN_SEED_BYTES] = {7};
static uint8_t server[SIGN_PUBLIC_BYTES];

/* A round of sites 0, 2 and 4, of which 0 and 4 sent their inputs. */
static void write_round(struct buffer *out, const uint8_t *signer)
{
    struct plan plan = {.round = 6,
                        .params = {N, 1, 3, 3, 0, 1},
                        .sampling = 1,
                        .grid = {.scale = 1, .norm2 = 9, .cap = 5, .bits = 32},
                        .n_segments = 1};
    memcpy(plan.segment[0].name, "fc1", 4);
    plan.segment[0].dim = 3;
    CHECK_OK(bits_new(&plan.cohort, N));
    for (size_t v = 0; v < N; v += 2) bits_set(&plan.cohort, v);
    CHECK_OK(bits_copy(&plan.segment[0].members, &plan.cohort));
    AUTO(buffer_free) struct buffer bytes = {0};
    plan_write(&bytes, &plan, signer);
    struct hash digest[2] = {{{1}}, {{2}}};
    struct confirm confirm = {.from = 4, .signature = {8}};
    uint32_t taken[3][TRAIL_LETTERS] = {{1, 0, 2, 3}, {4}, {5, 0, 6, 7, 8, 9}};
    struct trail_round round = {.plan_bytes = buffer_view(&bytes),
                                .why = REASON_CONFIRMATIONS,
                                .roster = {{3}},
                                .dealers = {{4}},
                                .n_digests = 2,
                                .digest = digest,
                                .n_confirms = 1,
                                .confirm = &confirm,
                                .n_cohort = 3,
                                .taken = taken};
    CHECK_OK(bits_new(&round.survivors, N));
    CHECK_OK(bits_new(&round.opened, 1));
    bits_set(&round.survivors, 0);
    bits_set(&round.survivors, 4);
    trail_round_write(out, &round);
    CHECK_OK(out->status);
    bits_free(&round.survivors);
    bits_free(&round.opened);
    plan_free(&plan);
}

static void a_round_comes_back(void)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    write_round(&bytes, server_seed);
    AUTO(trail_round_free) struct trail_round round = {0};
    CHECK_OK(trail_round_read(&round, buffer_view(&bytes), N, server));
    CHECK_NUMBER(6, round.plan.round);
    CHECK(round.why == REASON_CONFIRMATIONS);
    CHECK_NUMBER(2, round.n_digests);
    CHECK_NUMBER(2, round.digest[1].bytes[0]);
    CHECK_NUMBER(1, round.n_confirms);
    CHECK(round.confirm[0].from == 4 && round.confirm[0].signature[0] == 8);
    CHECK_NUMBER(3, round.n_cohort);
    CHECK_NUMBER(3, round.taken[0][TRAIL_MASKED]);
    CHECK_NUMBER(4, round.taken[1][TRAIL_ADVERT]);
    CHECK_NUMBER(9, round.taken[2][TRAIL_UNMASK]);
    CHECK_NUMBER(0, round.result_bytes.n);
}

static void what_is_cut_or_of_another_coordinator_is_refused(void)
{
    AUTO(buffer_free) struct buffer bytes = {0}, foreign = {0};
    write_round(&bytes, server_seed);
    struct trail_round round = {0};
    for (size_t n = 0; n < bytes.n; n++)
        CHECK(trail_round_read(&round, (struct view){bytes.at, n}, N, server) != STATUS_OK);
    static const uint8_t other[SIGN_SEED_BYTES] = {8};
    write_round(&foreign, other);
    CHECK_STATUS(STATUS_AUTH, trail_round_read(&round, buffer_view(&foreign), N, server));
    CHECK_STATUS(STATUS_FORMAT, trail_round_read(&round, buffer_view(&bytes), N + 1, server));
    CHECK(round.digest == NULL);
}

static void running_out_of_memory_reads_nothing(void)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    write_round(&bytes, server_seed);
    OOM_EACH {
        AUTO(trail_round_free) struct trail_round round = {0};
        const enum status status = trail_round_read(&round, buffer_view(&bytes), N, server);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((status == STATUS_OK) == (round.digest != NULL));
    }
}

int main(void)
{
    sign_public(server, server_seed);
    RUN(a_round_comes_back);
    RUN(what_is_cut_or_of_another_coordinator_is_refused);
    RUN(running_out_of_memory_reads_nothing);
    return check_done();
}
