/* SPDX-License-Identifier: Apache-2.0 */
/* All messages go through the same sweeps: written and read back, cut, prolonged, altered, signed
 * by another, read without memory. What is special to one message is in test_msg_*.c. */
#include "protocol/msg.h"

#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/messages.h"
#include "tests/lib/oom.h"

static uint8_t signer[SIGN_PUBLIC_BYTES], stranger[SIGN_PUBLIC_BYTES];

#define EACH_KIND(kind) for (enum msg_kind kind = MSG_HELLO; kind < MSG_KIND_COUNT; kind++)

static enum status read_bytes_as(enum msg_kind kind, struct view in, const uint8_t *key)
{
    AUTO(buffer_free) struct buffer unused = {0};
    return messages[kind].again(&unused, in, key);
}

static void each_message_is_read_back_as_written(void)
{
    EACH_KIND(kind)
    {
        AUTO(buffer_free) struct buffer bytes = {0}, again = {0};
        messages[kind].write(&bytes);
        CHECK_NUMBER(kind, msg_kind_of(buffer_view(&bytes)));
        CHECK_OK(messages[kind].again(&again, buffer_view(&bytes), signer));
        CHECK_NUMBER(bytes.n, again.n);
        CHECK_BYTES(bytes.at, again.at, bytes.n);
    }
}

static void other_lengths_are_refused(void)
{
    EACH_KIND(kind)
    {
        const bool is_signed = messages[kind].is_signed;
        AUTO(buffer_free) struct buffer whole = {0};
        messages[kind].write(&whole);
        /* As a line that breaks off would deliver it. */
        for (size_t n = 0; n < whole.n; n += 7) {
            const enum status status = read_bytes_as(kind, (struct view){whole.at, n}, signer);
            CHECK(status == STATUS_FORMAT || (is_signed && status == STATUS_AUTH));
        }
        /* As a liar would sign it. */
        const size_t body = is_signed ? whole.n - SIGN_BYTES : whole.n;
        for (size_t n = 1; n <= body + 1; n++) {
            if (n == body) continue;
            AUTO(buffer_free) struct buffer bytes = {0};
            message_cut(&bytes, kind, n);
            CHECK_STATUS(STATUS_FORMAT, read_bytes_as(kind, buffer_view(&bytes), signer));
        }
    }
}

static void another_prefix_or_kind_is_refused(void)
{
    EACH_KIND(kind)
    {
        AUTO(buffer_free) struct buffer bytes = {0};
        messages[kind].write(&bytes);
        for (size_t at = 0; at < 3; at++) {
            bytes.at[at] ^= 1;
            CHECK_NUMBER(0, msg_kind_of(buffer_view(&bytes)));
            CHECK_STATUS(STATUS_FORMAT, read_bytes_as(kind, buffer_view(&bytes), signer));
            bytes.at[at] ^= 1;
        }
        for (uint8_t other = 0; other < MSG_KIND_COUNT + 2; other++) {
            if (other == kind) continue;
            bytes.at[3] = other;
            CHECK_STATUS(STATUS_FORMAT, read_bytes_as(kind, buffer_view(&bytes), signer));
        }
    }
    CHECK_NUMBER(0, msg_kind_of((struct view){(const uint8_t *)"SA1", 3}));
    CHECK_NUMBER(0, msg_kind_of((struct view){(const uint8_t *)"SA1\0", 4}));
    CHECK_NUMBER(0, msg_kind_of((struct view){(const uint8_t *)"SA1\377", 4}));
    const uint8_t next[] = {'S', 'A', '1', MSG_KIND_COUNT};
    CHECK_NUMBER(0, msg_kind_of((struct view){next, sizeof next}));
}

static void another_signature_is_refused(void)
{
    EACH_KIND(kind)
    {
        if (!messages[kind].is_signed) continue;
        AUTO(buffer_free) struct buffer bytes = {0};
        messages[kind].write(&bytes);
        CHECK_STATUS(STATUS_AUTH, read_bytes_as(kind, buffer_view(&bytes), stranger));
        /* Any altered byte, of the content as of the signature. */
        for (size_t at = 4; at < bytes.n; at += 1 + bytes.n / 40) {
            bytes.at[at] ^= 0x40;
            CHECK_STATUS(STATUS_AUTH, read_bytes_as(kind, buffer_view(&bytes), signer));
            bytes.at[at] ^= 0x40;
        }
    }
}

/* messages.c stops when an output was changed. */
static void without_memory_the_output_is_untouched(void)
{
    size_t hits[MSG_KIND_COUNT] = {0};
    EACH_KIND(kind)
    {
        AUTO(buffer_free) struct buffer bytes = {0};
        messages[kind].write(&bytes);
        OOM_EACH {
            AUTO(buffer_free) struct buffer again = {0};
            enum status status = messages[kind].again(&again, buffer_view(&bytes), signer);
            oom_stop();
            if (status != STATUS_OK) {
                CHECK_STATUS(STATUS_NOMEM, status);
                hits[kind]++;
            }
        }
    }
    static const size_t allocations[MSG_KIND_COUNT] = {
        [MSG_PLAN] = 3,      [MSG_ROSTER] = 1, [MSG_SHARES] = 2, [MSG_INBOX] = 5,
        [MSG_SURVIVORS] = 4, [MSG_QUORUM] = 1, [MSG_UNMASK] = 2, [MSG_POSITIONS] = 1};
    EACH_KIND(kind) CHECK_NUMBER(allocations[kind], hits[kind]);
}

static void a_writer_without_memory_says_so(void)
{
    EACH_KIND(kind)
    {
        AUTO(buffer_free) struct buffer bytes = {0};
        oom_start(1);
        messages[kind].write(&bytes);
        oom_stop();
        CHECK_STATUS(STATUS_NOMEM, bytes.status);
    }
}

/* Lengths and counts of the examples, at their most significant byte. */
static void sizes_beyond_the_input_are_refused_before_allocation(void)
{
    const size_t body = 4 + MSG_SESSION_BYTES;
    CHECK(message_refused(MSG_OPENING, 4 + 3, 0xff));              /* plan */
    CHECK(message_refused(MSG_OPENING, 4 + 8 + 3, 0xff));          /* count */
    CHECK(message_refused(MSG_OPENING, 4 + 8 + 4 + 3, 0xff));      /* first result */
    CHECK(message_refused(MSG_OPENING, 4 + 8 + 4 + 13 + 3, 0xff)); /* state */
    CHECK(message_refused(MSG_FINISH, 4 + 32 + 3, 0xff));
    CHECK(message_refused(MSG_FINISH, 4 + 32 + 9 + 3, 0xff));
    CHECK(message_refused(MSG_PLAN, body + 4 + 1 + 4 + 128 + 24 + 3, 0xff)); /* cohort */
    CHECK(message_refused(MSG_HEADER, body + 64 + 4 + 32, MSG_SEGMENTS_MAX + 1));
    CHECK(message_refused(MSG_INBOX, body + 3, 0xff)); /* dealers */
    CHECK(message_refused(MSG_DIGEST, body + 96 + 4, MSG_SEGMENTS_MAX + 1));
    CHECK(message_refused(MSG_MASKED, 4 + 3, 0xff));
    CHECK(message_refused(MSG_SURVIVORS, body + 96 + 3, 0xff));
    CHECK(message_refused(MSG_QUORUM, body + 3, 0xff));
}

int main(void)
{
    messages_signer(signer);
    sign_public(stranger, (const uint8_t[SIGN_SEED_BYTES]){2});
    RUN(each_message_is_read_back_as_written);
    RUN(other_lengths_are_refused);
    RUN(another_prefix_or_kind_is_refused);
    RUN(another_signature_is_refused);
    RUN(without_memory_the_output_is_untouched);
    RUN(a_writer_without_memory_says_so);
    RUN(sizes_beyond_the_input_are_refused_before_allocation);
    return check_done();
}
