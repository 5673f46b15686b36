/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static struct reader over(const struct buffer *b)
{
    return reader_of(buffer_view(b));
}

static void numbers_are_little_endian(void)
{
    AUTO(buffer_free) struct buffer b = {0};
    write_u8(&b, 0x01);
    write_u16(&b, 0x0302);
    write_u32(&b, 0x07060504);
    write_u64(&b, 0x0f0e0d0c0b0a0908);
    CHECK_OK(b.status);
    CHECK_NUMBER(15, b.n);
    for (size_t i = 0; i < b.n; i++) CHECK_NUMBER(i + 1, b.at[i]);
}

static void numbers_come_back(void)
{
    AUTO(buffer_free) struct buffer b = {0};
    write_u8(&b, UINT8_MAX);
    write_u16(&b, 0xfedc);
    write_u32(&b, 0xfedcba98);
    write_u64(&b, 0xfedcba9876543210);
    write_f32(&b, -1.5f);
    write_f64(&b, 0x1.8p-1000);
    struct reader r = over(&b);
    CHECK_NUMBER(UINT8_MAX, read_u8(&r));
    CHECK_NUMBER(0xfedc, read_u16(&r));
    CHECK_NUMBER(0xfedcba98, read_u32(&r));
    CHECK(read_u64(&r) == 0xfedcba9876543210);
    CHECK(read_f32(&r) == -1.5f);
    CHECK(read_f64(&r) == 0x1.8p-1000);
    CHECK_OK(reader_end(&r));
}

static void floats_keep_every_bit(void)
{
    AUTO(buffer_free) struct buffer b = {0};
    write_f32(&b, 1.0f);
    write_f64(&b, -0.0);
    CHECK_BYTES("\x00\x00\x80\x3f\x00\x00\x00\x00\x00\x00\x00\x80", b.at, 12);
    write_f32(&b, NAN);
    write_f64(&b, -HUGE_VAL);
    struct reader r = over(&b);
    CHECK(read_f32(&r) == 1.0f);
    CHECK(signbit(read_f64(&r)));
    CHECK(isnan(read_f32(&r)));
    CHECK(isinf(read_f64(&r)));
}

static void bytes_and_blobs_come_back(void)
{
    AUTO(buffer_free) struct buffer b = {0};
    write_bytes(&b, "abc", 3);
    write_bytes(&b, NULL, 0);
    write_blob(&b, "defg", 4);
    write_blob(&b, NULL, 0);
    CHECK_BYTES("abc\x04\x00\x00\x00"
                "defg\x00\x00\x00\x00",
                b.at, b.n);
    struct reader r = over(&b);
    char abc[3];
    read_bytes(&r, abc, 3);
    CHECK_BYTES("abc", abc, 3);
    const struct view blob = read_blob(&r, 4);
    CHECK_NUMBER(4, blob.n);
    CHECK_BYTES("defg", blob.at, 4);
    CHECK_NUMBER(0, read_blob(&r, 0).n);
    CHECK_OK(reader_end(&r));
}

/* RFC 4648, section 10, and bytes that need the last two digits. */
static void base64_is_that_of_the_rfc(void)
{
    static const struct {
        const char *in, *out;
    } vector[] = {{"", ""},        {"f", "Zg=="},          {"fo", "Zm8="},
                  {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe", "+//+"}};
    for (size_t i = 0; i < sizeof vector / sizeof *vector; i++) {
        AUTO(buffer_free) struct buffer b = {0};
        write_base64(&b, vector[i].in, strlen(vector[i].in));
        CHECK_OK(b.status);
        CHECK_NUMBER(strlen(vector[i].out), b.n);
        if (b.n > 0) CHECK_BYTES(vector[i].out, b.at, b.n);
    }
}

static void a_view_borrows_from_the_input(void)
{
    const uint8_t in[4] = {1, 2, 3, 4};
    struct reader r = reader_of((struct view){.at = in, .n = sizeof in});
    CHECK(read_view(&r, 3).at == in);
    CHECK(read_view(&r, 1).at == in + 3);
    CHECK_NUMBER(0, read_view(&r, 0).n);
    CHECK_OK(reader_end(&r));
}

static void a_blob_over_its_limit_is_bad(void)
{
    AUTO(buffer_free) struct buffer b = {0};
    write_blob(&b, "defg", 4);
    struct reader r = over(&b);
    CHECK_NUMBER(0, read_blob(&r, 3).n);
    CHECK_STATUS(STATUS_FORMAT, reader_end(&r));
}

static void a_blob_longer_than_the_input_is_bad(void)
{
    struct reader r = reader_of((struct view){.at = (const uint8_t *)"\xff\xff\xff\xff"
                                                                     "abc",
                                              .n = 7});
    const struct view blob = read_blob(&r, SIZE_MAX);
    CHECK(blob.n == 0 && blob.at == NULL);
    CHECK_STATUS(STATUS_FORMAT, reader_end(&r));
}

/* Every reader, on every input that is too short for it. */
static void reading_past_the_end_gives_zeros_and_is_bad(void)
{
    const uint8_t in[7] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    for (size_t n = 0; n < 8; n++) {
        const struct view view = {.at = in, .n = n};
        struct reader r[6];
        for (size_t i = 0; i < 6; i++) r[i] = reader_of(view);
        CHECK((read_u8(&r[0]) == 0) == (n < 1));
        CHECK(r[0].bad == (n < 1));
        CHECK((read_u16(&r[1]) == 0) == (n < 2));
        CHECK(r[1].bad == (n < 2));
        CHECK((read_u32(&r[2]) == 0) == (n < 4));
        CHECK(r[2].bad == (n < 4));
        CHECK(read_u64(&r[3]) == 0);
        CHECK(r[3].bad);
        CHECK(read_f64(&r[4]) == 0.0);
        CHECK(r[4].bad);
        uint8_t out[8] = {9, 9, 9, 9, 9, 9, 9, 9};
        read_bytes(&r[5], out, sizeof out);
        CHECK_BYTES((uint8_t[8]){0}, out, sizeof out);
        CHECK_STATUS(STATUS_FORMAT, reader_end(&r[5]));
    }
    struct reader r = reader_of((struct view){.at = in, .n = 3});
    CHECK(read_f32(&r) == 0.0f);
    CHECK(r.bad);
}

static void the_first_failure_is_kept(void)
{
    struct reader r = reader_of((struct view){.at = (const uint8_t *)"abcd", .n = 4});
    CHECK(read_u64(&r) == 0);
    CHECK_NUMBER(0, read_u8(&r));
    CHECK_NUMBER(0, read_view(&r, 0).n);
    CHECK_STATUS(STATUS_FORMAT, reader_end(&r));
}

static void left_over_bytes_are_bad(void)
{
    struct reader r = reader_of((struct view){.at = (const uint8_t *)"ab", .n = 2});
    CHECK_STATUS(STATUS_FORMAT, reader_end(&r));
    CHECK_NUMBER('a', read_u8(&r));
    CHECK_STATUS(STATUS_FORMAT, reader_end(&r));
    CHECK_NUMBER('b', read_u8(&r));
    CHECK_OK(reader_end(&r));
}

static void the_empty_input_is_read_without_complaint(void)
{
    struct reader r = reader_of((struct view){0});
    CHECK_NUMBER(0, read_view(&r, 0).n);
    read_packed(&r, NULL, 0, 7);
    CHECK_OK(reader_end(&r));
}

static void a_buffer_grows_without_losing_bytes(void)
{
    AUTO(buffer_wipe) struct buffer b = {0};
    for (size_t i = 0; i < 1000; i++) write_u8(&b, (uint8_t)i);
    CHECK_NUMBER(1000, b.n);
    CHECK(b.room >= b.n);
    for (size_t i = 0; i < b.n; i++) CHECK_NUMBER((uint8_t)i, b.at[i]);
}

static void freeing_leaves_an_empty_object(void)
{
    struct buffer b = {0};
    buffer_free(&b);
    buffer_wipe(&b);
    write_u8(&b, 1);
    buffer_wipe(&b);
    CHECK(b.at == NULL && b.n == 0 && b.room == 0 && b.status == STATUS_OK);
}

static void reserved_room_is_taken_once(void)
{
    AUTO(buffer_wipe) struct buffer b = {0};
    write_u8(&b, 7);
    buffer_reserve(&b, 1000);
    const uint8_t *at = b.at;
    CHECK_NUMBER(1001, b.room);
    CHECK(b.n == 1 && b.at[0] == 7);
    for (size_t i = 0; i < 1000; i++) write_u8(&b, (uint8_t)i);
    buffer_reserve(&b, 0);
    CHECK(b.at == at && b.room == 1001);
}

static void impossible_sizes_are_refused_before_allocation(void)
{
    struct buffer b = {0};
    write_u8(&b, 1);
    write_bytes(&b, "", SIZE_MAX / 2);
    CHECK_STATUS(STATUS_NOMEM, b.status);
    CHECK_NUMBER(1, b.n);
    buffer_free(&b);
    write_blob(&b, "", (size_t)UINT32_MAX + 1);
    CHECK_STATUS(STATUS_NOMEM, b.status);
    CHECK_NUMBER(0, b.n);
    buffer_free(&b);
    buffer_reserve(&b, SIZE_MAX / 2);
    CHECK_STATUS(STATUS_NOMEM, b.status);
    CHECK(b.at == NULL);
    buffer_free(&b);
}

static void out_of_memory_is_remembered(void)
{
    const uint8_t large[100] = {0};
    OOM_EACH {
        struct buffer b = {0};
        write_u8(&b, 1);
        write_bytes(&b, large, sizeof large);
        write_u32(&b, 2);
        write_packed(&b, (uint32_t[2]){1, 2}, 2, 9);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, b.status);
        /* What was written before stays, what came after is ignored. */
        CHECK(b.n == 0 || b.n == 1 || (b.n == 108 && !oom_hit()));
        buffer_free(&b);
    }
}

int main(void)
{
    RUN(numbers_are_little_endian);
    RUN(numbers_come_back);
    RUN(floats_keep_every_bit);
    RUN(bytes_and_blobs_come_back);
    RUN(base64_is_that_of_the_rfc);
    RUN(a_view_borrows_from_the_input);
    RUN(a_blob_over_its_limit_is_bad);
    RUN(a_blob_longer_than_the_input_is_bad);
    RUN(reading_past_the_end_gives_zeros_and_is_bad);
    RUN(the_first_failure_is_kept);
    RUN(left_over_bytes_are_bad);
    RUN(the_empty_input_is_read_without_complaint);
    RUN(a_buffer_grows_without_losing_bytes);
    RUN(freeing_leaves_an_empty_object);
    RUN(reserved_room_is_taken_once);
    RUN(impossible_sizes_are_refused_before_allocation);
    RUN(out_of_memory_is_remembered);
    return check_done();
}
