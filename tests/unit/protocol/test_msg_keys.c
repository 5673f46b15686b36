/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/messages.h"

#define N MESSAGES_N
#define BODY (4 + MSG_SESSION_BYTES)

static const struct view word = {(const uint8_t *)"word", 4};

static void a_flag_is_zero_or_one(void)
{
    CHECK_STATUS(STATUS_FORMAT, message_with(MSG_ROSTER, BODY, 1, 2));
    CHECK_STATUS(STATUS_FORMAT, message_with(MSG_ROSTER, BODY + 25, 0, 2)); /* the last one */
    CHECK_STATUS(STATUS_FORMAT, message_with(MSG_POSITIONS, BODY, 1, 2));
    CHECK_STATUS(STATUS_FORMAT, message_with(MSG_POSITIONS, BODY + 33, 0, 2));
}

static void a_present_advert_is_not_empty(void)
{
    uint8_t signer[SIGN_PUBLIC_BYTES];
    messages_signer(signer);
    AUTO(buffer_free) struct buffer bytes = {0};
    wire_begin(&bytes, MSG_ROSTER);
    write_bytes(&bytes, (const uint8_t[MSG_SESSION_BYTES]){0}, MSG_SESSION_BYTES);
    for (size_t v = 0; v < N; v++) {
        write_u8(&bytes, v == 2);
        if (v == 2) write_u32(&bytes, 0);
    }
    wire_sign(&bytes, 0, messages_seed);
    struct roster out = {0};
    CHECK_STATUS(STATUS_FORMAT, roster_read(&out, buffer_view(&bytes), N, signer));
}

static void an_advert_has_a_limit(void)
{
    static const uint8_t big[WIRE_HEAD_MAX + 1] = {1};
    uint8_t signer[SIGN_PUBLIC_BYTES];
    messages_signer(signer);
    for (size_t n = WIRE_HEAD_MAX; n <= WIRE_HEAD_MAX + 1; n++) {
        AUTO(buffer_free) struct buffer bytes = {0};
        struct view advert[N] = {{big, n}};
        roster_write(&bytes, &(struct roster){.n = N, .advert = advert}, messages_seed);
        AUTO(roster_free) struct roster out = {0};
        CHECK_STATUS(n == WIRE_HEAD_MAX ? STATUS_OK : STATUS_FORMAT,
                     roster_read(&out, buffer_view(&bytes), N, signer));
    }
}

static void a_roster_hashes_who_sent_what(void)
{
    const struct hash p = {{1}}, q = {{2}};
    struct view one[N] = {word, {0}, word}, moved[N] = {word, word, {0}};
    const struct hash a = roster_hash(&p, one, N), b = roster_hash(&p, moved, N),
                      c = roster_hash(&q, one, N);
    CHECK(!hash_equal(&a, &b) && !hash_equal(&a, &c));
}

static void positions_hash_the_roster_and_who_opened_which(void)
{
    const struct hash p = {{1}}, q = {{2}};
    struct view one[N] = {word, {0}, word}, moved[N] = {word, word, {0}}, less[N] = {word};
    const struct hash got[] = {positions_hash(&p, one, N), positions_hash(&p, moved, N),
                               positions_hash(&p, less, N), positions_hash(&q, one, N),
                               roster_hash(&p, one, N)};
    for (size_t i = 0; i < sizeof got / sizeof *got; i++)
        for (size_t j = 0; j < i; j++) CHECK(!hash_equal(&got[i], &got[j]));
}

static void a_commitment_binds_session_site_and_nonce(void)
{
    const struct position base = {.from = 3};
    struct position other[3] = {base, base, base};
    other[0].session[31] = 1;
    other[1].from = 4;
    other[2].nonce[31] = 1;
    const struct hash want = position_commit(&base);
    for (size_t i = 0; i < 3; i++) {
        const struct hash got = position_commit(&other[i]);
        CHECK(!hash_equal(&want, &got));
    }
}

int main(void)
{
    RUN(a_flag_is_zero_or_one);
    RUN(a_present_advert_is_not_empty);
    RUN(an_advert_has_a_limit);
    RUN(a_roster_hashes_who_sent_what);
    RUN(positions_hash_the_roster_and_who_opened_which);
    RUN(a_commitment_binds_session_site_and_nonce);
    return check_done();
}
