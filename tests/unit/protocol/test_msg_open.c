/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/check.h"
#include "tests/lib/messages.h"

#define N MESSAGES_N
#define BODY (4 + MSG_SESSION_BYTES)
/* The reader's own path, of one node; the flag of site 1; in its digest's place a word and a path.
 */
#define WITNESS (BODY + 96 + 5 + 5 + HASH_BYTES)
#define HELD (WITNESS + 1 + HASH_BYTES)

static void a_path_has_a_limit(void)
{
    uint8_t signer[SIGN_PUBLIC_BYTES];
    messages_signer(signer);
    for (uint8_t n = MERKLE_PATH_MAX; n <= MERKLE_PATH_MAX + 1; n++) {
        AUTO(buffer_free) struct buffer whole = {0}, bytes = {0}, unused = {0};
        messages[MSG_SURVIVORS].write(&whole);
        const size_t at = WITNESS;
        message_cut(&bytes, MSG_SURVIVORS, at + 1 + n * (size_t)HASH_BYTES + 2);
        bytes.n -= SIGN_BYTES;
        CHECK_NUMBER(1, bytes.at[at]);
        bytes.at[at] = n;
        wire_sign(&bytes, 0, messages_seed);
        CHECK_STATUS(n == MERKLE_PATH_MAX ? STATUS_OK : STATUS_FORMAT,
                     messages[MSG_SURVIVORS].again(&unused, buffer_view(&bytes), signer));
    }
}

static void sets_have_the_planned_size_and_clean_padding(void)
{
    CHECK(message_refused(MSG_SURVIVORS, BODY + 96, N + 1));
    CHECK(message_refused(MSG_SURVIVORS, BODY + 96 + 4, 0x28));
    CHECK_STATUS(STATUS_FORMAT, message_with(MSG_SURVIVORS, BODY + 96 + 5, 2, 3));
    CHECK_STATUS(STATUS_FORMAT, message_with(MSG_SURVIVORS, BODY + 96 + 9, 2, 6));
}

static void a_digest_is_there_or_not(void)
{
    CHECK_STATUS(STATUS_FORMAT, message_with(MSG_SURVIVORS, HELD, 1, 2));
    uint8_t signer[SIGN_PUBLIC_BYTES], zeros[4097] = {0};
    messages_signer(signer);
    AUTO(survivors_free) struct survivors s = {0};
    CHECK_OK(bits_new(&s.survivors, N));
    CHECK_OK(bits_new(&s.opened, MESSAGES_SEGMENTS));
    bits_set(&s.survivors, 1);
    for (size_t n = 0; n <= sizeof zeros; n += n == 1 ? sizeof zeros - 2 : 1) {
        AUTO(buffer_free) struct buffer bytes = {0}, unused = {0};
        AUTO(witness_free) struct witness witness = {0};
        CHECK_OK(witness_new(&witness, N));
        witness.digest[1] = (struct view){zeros, n};
        survivors_write(&bytes, &s, &witness, messages_seed);
        CHECK_STATUS(n == sizeof zeros ? STATUS_FORMAT : STATUS_OK,
                     messages[MSG_SURVIVORS].again(&unused, buffer_view(&bytes), signer));
        if (n != 1) continue;
        /* The digest of one byte is taken away, and its flag stays. */
        bytes.n -= SIGN_BYTES + 1;
        bytes.at[bytes.n - 5] = 0;
        wire_sign(&bytes, 0, messages_seed);
        CHECK_STATUS(STATUS_FORMAT,
                     messages[MSG_SURVIVORS].again(&unused, buffer_view(&bytes), signer));
    }
}

static void a_confirmation_is_of_the_whole_statement(void)
{
    uint8_t signer[SIGN_PUBLIC_BYTES], stranger[SIGN_PUBLIC_BYTES];
    messages_signer(signer);
    sign_public(stranger, (const uint8_t[SIGN_SEED_BYTES]){2});
    AUTO(survivors_free) struct survivors s = {0};
    CHECK_OK(bits_new(&s.survivors, N));
    CHECK_OK(bits_new(&s.opened, MESSAGES_SEGMENTS));
    const struct hash want = survivors_hash(&s);
    struct confirm confirm = {.from = 1};
    confirm_sign(&confirm, &want, messages_seed);
    CHECK(confirm_check(&confirm, &want, signer));
    CHECK(!confirm_check(&confirm, &want, stranger));
    uint8_t *const field[] = {s.session,
                              s.plan.bytes,
                              s.roster.bytes,
                              s.dealers.bytes,
                              s.root.bytes,
                              (uint8_t *)s.survivors.word,
                              (uint8_t *)s.opened.word};
    for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
        *field[i] ^= 1;
        const struct hash other = survivors_hash(&s);
        CHECK(!hash_equal(&want, &other));
        CHECK(!confirm_check(&confirm, &other, signer));
        *field[i] ^= 1;
    }
}

static void a_claim_comes_back_without_its_message(void)
{
    AUTO(survivors_free) struct survivors s = {.plan = {{1}}, .root = {{2}}}, back = {0};
    struct survivors untouched = {0};
    CHECK_OK(bits_new(&s.survivors, N));
    CHECK_OK(bits_new(&s.opened, MESSAGES_SEGMENTS));
    bits_set(&s.survivors, 2);
    bits_set(&s.opened, 1);
    AUTO(buffer_free) struct buffer bytes = {0};
    claim_write(&bytes, &s);
    CHECK_OK(claim_read(&back, buffer_view(&bytes), N, MESSAGES_SEGMENTS));
    const struct hash want = survivors_hash(&s), got = survivors_hash(&back);
    CHECK(hash_equal(&want, &got));
    CHECK_STATUS(STATUS_FORMAT,
                 claim_read(&untouched, buffer_view(&bytes), N + 1, MESSAGES_SEGMENTS));
    CHECK_STATUS(STATUS_FORMAT,
                 claim_read(&untouched, buffer_view(&bytes), N, MESSAGES_SEGMENTS - 1));
    bytes.n--;
    CHECK_STATUS(STATUS_FORMAT, claim_read(&untouched, buffer_view(&bytes), N, MESSAGES_SEGMENTS));
    CHECK(untouched.survivors.word == NULL);
}

static void a_quorum_has_one_to_n_confirmations_of_its_session(void)
{
    CHECK(message_refused(MSG_QUORUM, BODY, 0));
    CHECK(message_refused(MSG_QUORUM, BODY, N + 1));
    AUTO(buffer_free) struct buffer bytes = {0};
    messages[MSG_QUORUM].write(&bytes);
    AUTO(quorum_free) struct quorum out = {0};
    CHECK_STATUS(STATUS_FORMAT, quorum_read(&out, buffer_view(&bytes), 1));
    CHECK_OK(quorum_read(&out, buffer_view(&bytes), 2));
    CHECK_BYTES(out.session, out.confirm[1].session, sizeof out.session);
}

int main(void)
{
    RUN(a_path_has_a_limit);
    RUN(sets_have_the_planned_size_and_clean_padding);
    RUN(a_digest_is_there_or_not);
    RUN(a_confirmation_is_of_the_whole_statement);
    RUN(a_claim_comes_back_without_its_message);
    RUN(a_quorum_has_one_to_n_confirmations_of_its_session);
    return check_done();
}
