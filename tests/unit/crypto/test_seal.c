/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/seal.h"

#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

/* draft-irtf-cfrg-xchacha-03, appendix A.3.1; the nonce stands in front as the format has it. */
static const uint8_t key[SEAL_KEY_BYTES] = {
    0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f,
    0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f,
};
static const uint8_t bound_bytes[] = {0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1,
                                      0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7};
static const char plain_text[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only "
    "one tip for the future, sunscreen would be it.";
static const uint8_t sealed_bytes[] = {
    0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f,
    0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0xbd, 0x6d, 0x17, 0x9d, 0x3e, 0x83, 0xd4, 0x3b,
    0x95, 0x76, 0x57, 0x94, 0x93, 0xc0, 0xe9, 0x39, 0x57, 0x2a, 0x17, 0x00, 0x25, 0x2b, 0xfa, 0xcc,
    0xbe, 0xd2, 0x90, 0x2c, 0x21, 0x39, 0x6c, 0xbb, 0x73, 0x1c, 0x7f, 0x1b, 0x0b, 0x4a, 0xa6, 0x44,
    0x0b, 0xf3, 0xa8, 0x2f, 0x4e, 0xda, 0x7e, 0x39, 0xae, 0x64, 0xc6, 0x70, 0x8c, 0x54, 0xc2, 0x16,
    0xcb, 0x96, 0xb7, 0x2e, 0x12, 0x13, 0xb4, 0x52, 0x2f, 0x8c, 0x9b, 0xa4, 0x0d, 0xb5, 0xd9, 0x45,
    0xb1, 0x1b, 0x69, 0xb9, 0x82, 0xc1, 0xbb, 0x9e, 0x3f, 0x3f, 0xac, 0x2b, 0xc3, 0x69, 0x48, 0x8f,
    0x76, 0xb2, 0x38, 0x35, 0x65, 0xd3, 0xff, 0xf9, 0x21, 0xf9, 0x66, 0x4c, 0x97, 0x63, 0x7d, 0xa9,
    0x76, 0x88, 0x12, 0xf6, 0x15, 0xc6, 0x8b, 0x13, 0xb5, 0x2e, 0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7,
    0x98, 0x79, 0x47, 0xde, 0xaf, 0xd8, 0x78, 0x0a, 0xcf, 0x49,
};

static const struct view plain = {.at = (const uint8_t *)plain_text, .n = sizeof plain_text - 1};
static const struct view bound = {.at = bound_bytes, .n = sizeof bound_bytes};
static const struct view sealed = {.at = sealed_bytes, .n = sizeof sealed_bytes};

static struct rng replay(void)
{
    struct rng rng;
    rng_numbered(&rng, 1);
    return rng;
}

static void the_published_example_opens(void)
{
    AUTO(buffer_wipe) struct buffer out = {0};
    CHECK_OK(seal_read(&out, sealed, bound, key));
    CHECK_NUMBER(plain.n, out.n);
    CHECK_BYTES(plain.at, out.at, plain.n);
}

static void what_was_sealed_opens_at_every_length(void)
{
    struct rng rng = replay();
    for (size_t n = 0; n <= plain.n; n++) {
        AUTO(buffer_free) struct buffer box = {0};
        AUTO(buffer_wipe) struct buffer back = {0};
        const struct view part = {.at = plain.at, .n = n};
        CHECK_OK(seal_write(&box, part, bound, key, &rng));
        CHECK_NUMBER(n + SEAL_EXTRA_BYTES, box.n);
        CHECK_OK(seal_read(&back, buffer_view(&box), bound, key));
        CHECK_NUMBER(n, back.n);
        if (n > 0) CHECK_BYTES(plain.at, back.at, n);
    }
}

static void both_append_to_what_is_there(void)
{
    struct rng rng = replay();
    AUTO(buffer_free) struct buffer box = {0};
    AUTO(buffer_wipe) struct buffer back = {0};
    write_u8(&box, 7);
    write_u8(&back, 8);
    CHECK_OK(seal_write(&box, plain, bound, key, &rng));
    const struct view rest = {.at = box.at + 1, .n = box.n - 1};
    CHECK_OK(seal_read(&back, rest, bound, key));
    CHECK_NUMBER(7, box.at[0]);
    CHECK_NUMBER(8, back.at[0]);
    CHECK_BYTES(plain.at, back.at + 1, plain.n);
}

static void each_seal_has_a_nonce_of_its_own(void)
{
    struct rng rng = replay();
    AUTO(buffer_free) struct buffer a = {0};
    AUTO(buffer_free) struct buffer b = {0};
    CHECK_OK(seal_write(&a, plain, bound, key, &rng));
    CHECK_OK(seal_write(&b, plain, bound, key, &rng));
    CHECK(memcmp(a.at, b.at, 24) != 0);
    CHECK(memcmp(a.at + 24, b.at + 24, plain.n) != 0);
}

static void every_altered_byte_is_noticed(void)
{
    for (size_t i = 0; i < sizeof sealed_bytes; i++) {
        uint8_t changed[sizeof sealed_bytes];
        memcpy(changed, sealed_bytes, sizeof changed);
        changed[i] ^= 0x40;
        AUTO(buffer_wipe) struct buffer out = {0};
        CHECK_STATUS(STATUS_AUTH,
                     seal_read(&out, (struct view){changed, sizeof changed}, bound, key));
        CHECK_NUMBER(0, out.n);
    }
}

static void another_key_is_refused_and_nothing_is_left(void)
{
    AUTO(buffer_wipe) struct buffer out = {0};
    write_u8(&out, 9);
    CHECK_STATUS(STATUS_AUTH, seal_read(&out, sealed, bound, (uint8_t[SEAL_KEY_BYTES]){1}));
    CHECK(out.n == 1 && out.at[0] == 9);
    for (size_t i = 0; i < plain.n; i++) CHECK_NUMBER(0, out.at[1 + i]);
    CHECK_OK(out.status);
}

static void other_bound_data_is_refused(void)
{
    AUTO(buffer_wipe) struct buffer out = {0};
    CHECK_STATUS(STATUS_AUTH, seal_read(&out, sealed, (struct view){0}, key));
    CHECK_STATUS(STATUS_AUTH, seal_read(&out, sealed, (struct view){bound.at, bound.n - 1}, key));
    CHECK_NUMBER(0, out.n);
}

static void a_box_that_is_cut_short_is_refused(void)
{
    for (size_t n = 0; n < sealed.n; n++) {
        AUTO(buffer_wipe) struct buffer out = {0};
        CHECK_STATUS(n < SEAL_EXTRA_BYTES ? STATUS_FORMAT : STATUS_AUTH,
                     seal_read(&out, (struct view){sealed.at, n}, bound, key));
        CHECK_NUMBER(0, out.n);
    }
}

static void out_of_memory_leaves_the_bytes_as_before(void)
{
    struct rng rng = replay();
    OOM_EACH {
        struct buffer box = {0}, back = {0};
        const enum status wrote = seal_write(&box, plain, bound, key, &rng);
        const enum status opened = seal_read(&back, sealed, bound, key);
        oom_stop();
        CHECK(wrote == STATUS_OK || (wrote == STATUS_NOMEM && box.n == 0));
        CHECK(opened == STATUS_OK || (opened == STATUS_NOMEM && back.n == 0));
        CHECK(oom_hit() == (wrote != STATUS_OK || opened != STATUS_OK));
        buffer_free(&box);
        buffer_wipe(&back);
    }
}

int main(void)
{
    RUN(the_published_example_opens);
    RUN(what_was_sealed_opens_at_every_length);
    RUN(both_append_to_what_is_there);
    RUN(each_seal_has_a_nonce_of_its_own);
    RUN(every_altered_byte_is_noticed);
    RUN(another_key_is_refused_and_nothing_is_left);
    RUN(other_bound_data_is_refused);
    RUN(a_box_that_is_cut_short_is_refused);
    RUN(out_of_memory_leaves_the_bytes_as_before);
    return check_done();
}
