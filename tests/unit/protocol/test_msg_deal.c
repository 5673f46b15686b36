/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/check.h"
#include "tests/lib/messages.h"
#include "tests/lib/oom.h"

#define N MESSAGES_N
#define SEALED_MAX MESSAGES_SEALED_MAX

static const struct view word = {(const uint8_t *)"word", 4};
static uint8_t signer[SIGN_PUBLIC_BYTES];

static void sealed_parts_and_headers_have_a_limit(void)
{
    static const uint8_t big[WIRE_HEAD_MAX + 1] = {1};
    for (size_t i = 0; i < 4; i++) {
        const bool fits = i % 2 == 0;
        struct hash leaf[N] = {{{0}}};
        struct view sealed[N] = {{big, i < 2 ? SEALED_MAX + i : 1}};
        const struct view header = {big, i < 2 ? 1 : WIRE_HEAD_MAX + i - 2};
        AUTO(buffer_free) struct buffer bytes = {0}, letter = {0};
        shares_write(&bytes, &(struct shares){header, N, leaf, sealed});
        AUTO(shares_free) struct shares shares = {0};
        CHECK_STATUS(fits ? STATUS_OK : STATUS_FORMAT,
                     shares_read(&shares, buffer_view(&bytes), N, SEALED_MAX));
        AUTO(inbox_free) struct inbox in = {0}, out = {0};
        CHECK_OK(inbox_new(&in, N));
        bits_set(&in.dealers, 0);
        in.header[0] = header;
        in.sealed[0] = sealed[0];
        inbox_write(&letter, &in, messages_seed);
        CHECK_STATUS(fits ? STATUS_OK : STATUS_FORMAT,
                     inbox_read(&out, buffer_view(&letter), N, SEALED_MAX, signer));
    }
}

/* The longest header and digest that this program writes fit into what it reads. */
static void the_longest_heads_fit(void)
{
    AUTO(buffer_free) struct buffer header = {0}, digest = {0};
    header_write(&header,
                 &(struct header){.n_selfs = MSG_SEGMENTS_MAX, .n_noises = XNOISE_REMOVABLE_MAX},
                 messages_seed);
    digest_write(&digest, &(struct digest){.n_segments = MSG_SEGMENTS_MAX}, messages_seed);
    CHECK(header.n <= WIRE_HEAD_MAX && digest.n <= WIRE_HEAD_MAX);
}

/* Site 0 dealt to others, site 3 is the recipient: no flag and no header may be ambiguous. */
static void an_inbox_has_one_form(void)
{
    const size_t dealers = 4 + MSG_SESSION_BYTES, held = dealers + 5 + HASH_BYTES;
    CHECK(message_refused(MSG_INBOX, dealers, N + 1));
    CHECK(message_refused(MSG_INBOX, dealers + 4, 0x2b)); /* a bit behind the last member */
    CHECK_STATUS(STATUS_FORMAT, message_with(MSG_INBOX, held, 0, 2));
    CHECK_STATUS(STATUS_FORMAT, message_with(MSG_INBOX, held, 0, 1));
    AUTO(buffer_free) struct buffer bytes = {0};
    wire_begin(&bytes, MSG_INBOX);
    write_bytes(&bytes, (const uint8_t[MSG_SESSION_BYTES]){0}, MSG_SESSION_BYTES);
    AUTO(bits_free) struct bits one = {0};
    CHECK_OK(bits_new(&one, N));
    bits_set(&one, 2);
    write_bits(&bytes, &one);
    write_hash(&bytes, &(struct hash){{1}});
    write_u8(&bytes, 1);
    write_u32(&bytes, 0); /* an empty header */
    write_u32(&bytes, 0);
    write_u8(&bytes, 0);
    wire_sign(&bytes, 0, messages_seed);
    struct inbox out = {0};
    CHECK_STATUS(STATUS_FORMAT, inbox_read(&out, buffer_view(&bytes), N, SEALED_MAX, signer));
}

static void what_is_not_of_a_dealer_is_not_written(void)
{
    AUTO(inbox_free) struct inbox inbox = {0};
    CHECK_OK(inbox_new(&inbox, N));
    AUTO(buffer_free) struct buffer none = {0}, some = {0};
    inbox_write(&none, &inbox, messages_seed);
    inbox.header[1] = inbox.sealed[1] = word;
    inbox_write(&some, &inbox, messages_seed);
    CHECK_NUMBER(none.n, some.n);
    CHECK_BYTES(none.at, some.at, none.n);
}

static void an_inbox_is_read_as_it_was(void)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    messages[MSG_INBOX].write(&bytes);
    AUTO(inbox_free) struct inbox out = {0};
    CHECK_OK(inbox_read(&out, buffer_view(&bytes), N, SEALED_MAX, signer));
    CHECK(bits_count(&out.dealers) == 3 && bits_has(&out.dealers, 3));
    CHECK(out.head[0].bytes[0] == 1 && out.head[3].bytes[0] == 3 && hash_is_zero(&out.head[2]));
    CHECK(out.header[0].n == 0 && out.header[1].n == 4 && out.header[3].n == 4);
    CHECK(out.sealed[1].n == 4 && out.sealed[3].n == 0);
    CHECK(out.path[1].n == 2 && out.path[3].n == 0);
}

static void the_hash_of_dealers_is_of_the_set_and_their_headers(void)
{
    AUTO(bits_free) struct bits set = {0};
    CHECK_OK(bits_new(&set, N));
    bits_set(&set, 1);
    bits_set(&set, 3);
    struct hash head[N] = {{{1}}, {{2}}, {{3}}, {{2}}, {{5}}};
    const struct hash want = inbox_hash(&set, head);
    head[4].bytes[0] ^= 1; /* no dealer: no part of it */
    const struct hash same = inbox_hash(&set, head);
    CHECK(hash_equal(&want, &same));
    head[3].bytes[0] ^= 1;
    const struct hash other = inbox_hash(&set, head);
    CHECK(!hash_equal(&want, &other));
    head[3].bytes[0] ^= 1;
    const struct hash smaller = inbox_hash(&(struct bits){N - 1, set.word}, head);
    CHECK(!hash_equal(&want, &smaller)); /* the same dealers, of fewer members */
    bits_clear(&set, 3);
    bits_set(&set, 0);
    head[0] = (struct hash){{2}}; /* the same hashes, of another set */
    const struct hash moved = inbox_hash(&set, head);
    CHECK(!hash_equal(&want, &moved));
    const struct hash of_word = header_hash(word), of_less = header_hash((struct view){word.at, 3});
    CHECK(!hash_equal(&of_word, &of_less));
}

static void a_new_inbox_needs_memory(void)
{
    OOM_EACH {
        struct inbox inbox = {0};
        const enum status status = inbox_new(&inbox, N);
        oom_stop();
        if (status != STATUS_OK) {
            CHECK_STATUS(STATUS_NOMEM, status);
            CHECK(messages_zero(&inbox, sizeof inbox));
        }
        inbox_free(&inbox);
    }
}

int main(void)
{
    messages_signer(signer);
    RUN(sealed_parts_and_headers_have_a_limit);
    RUN(the_longest_heads_fit);
    RUN(an_inbox_has_one_form);
    RUN(what_is_not_of_a_dealer_is_not_written);
    RUN(an_inbox_is_read_as_it_was);
    RUN(the_hash_of_dealers_is_of_the_set_and_their_headers);
    RUN(a_new_inbox_needs_memory);
    return check_done();
}
