/* SPDX-License-Identifier: Apache-2.0 */
/* Bit sets, and elements of some bits each. */
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static void bit_sets_come_back(void)
{
    for (size_t n = 0; n <= 130; n++) {
        AUTO(bits_free) struct bits bits = {0};
        CHECK_OK(bits_new(&bits, n));
        for (size_t i = 0; i < n; i += 3) bits_set(&bits, i);
        AUTO(buffer_free) struct buffer b = {0};
        write_bits(&b, &bits);
        CHECK_NUMBER(4 + (n + 7) / 8, b.n);
        struct reader r = reader_of(buffer_view(&b));
        AUTO(bits_free) struct bits back = {0};
        CHECK_OK(read_bits(&r, &back, n));
        CHECK_OK(reader_end(&r));
        CHECK(bits_equal(&bits, &back));
    }
}

static void refuse_bits(const char *in, size_t n_in, size_t n)
{
    struct reader r = reader_of((struct view){.at = (const uint8_t *)in, .n = n_in});
    struct bits out = {.n = 7};
    CHECK_STATUS(STATUS_FORMAT, read_bits(&r, &out, n));
    CHECK(out.n == 7 && out.word == NULL);
    CHECK_STATUS(STATUS_FORMAT, reader_end(&r));
}

static void malformed_bit_sets_are_refused(void)
{
    refuse_bits("\x09\0\0\0\x01\x00", 6, 10);    /* another count */
    refuse_bits("\x09\0\0\0\x01\x02", 6, 9);     /* dirty padding */
    refuse_bits("\x09\0\0\0\x01\x80", 6, 9);     /* dirty padding */
    refuse_bits("\x09\0\0\0\x01", 5, 9);         /* too short */
    refuse_bits("\x09\0\0", 3, 9);               /* no count */
    refuse_bits("", 0, 0);                       /* no count */
    refuse_bits("\xff\xff\xff\xff", 4, 0);       /* another count */
    refuse_bits("\xff\xff\xff\xff", 4, 1 << 30); /* another count, nothing allocated for it */
}

static void packed_sizes_are_rounded_up_once(void)
{
    for (size_t n = 0; n < 70; n++)
        for (unsigned width = 1; width <= 32; width++)
            CHECK_NUMBER((n * width + 7) / 8, packed_bytes(n, width));
}

static void packed_elements_come_back_at_every_width(void)
{
    for (unsigned width = 1; width <= 32; width++)
        for (size_t n = 0; n <= 19; n++) {
            uint32_t in[19], back[19];
            for (size_t i = 0; i < n; i++) in[i] = (uint32_t)(i + 1) * 0x9e3779b9;
            AUTO(buffer_free) struct buffer b = {0};
            write_packed(&b, in, n, width);
            CHECK_NUMBER(packed_bytes(n, width), b.n);
            struct reader r = reader_of(buffer_view(&b));
            read_packed(&r, back, n, width);
            CHECK_OK(reader_end(&r));
            for (size_t i = 0; i < n; i++)
                CHECK_NUMBER(in[i] & (UINT32_MAX >> (32 - width)), back[i]);
        }
}

/* What is packed ends where a page ends behind which nothing may be read. */
static void packed_elements_are_read_to_their_end_and_no_further(void)
{
    enum { N = 80, PAGE = 4096 };
    uint8_t *page =
        mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED && mprotect(page + PAGE, PAGE, PROT_NONE) == 0);
    uint32_t in[N], back[N];
    for (size_t i = 0; i < N; i++) in[i] = (uint32_t)(i + 1) * 0x9e3779b9;
    for (unsigned width = 1; width <= 32; width++)
        for (size_t n = 0; n <= N; n++) {
            AUTO(buffer_free) struct buffer b = {0};
            write_packed(&b, in, n, width);
            uint8_t *start = page + PAGE - b.n;
            if (b.n > 0) memcpy(start, b.at, b.n);
            struct reader r = reader_of((struct view){start, b.n});
            read_packed(&r, back, n, width);
            CHECK_OK(reader_end(&r));
            size_t same = 0;
            for (size_t i = 0; i < n; i++) same += back[i] == (in[i] & UINT32_MAX >> (32 - width));
            CHECK_NUMBER(n, same);
        }
    (void)munmap(page, 2 * PAGE);
}

static void packing_is_lowest_bit_first(void)
{
    AUTO(buffer_free) struct buffer b = {0};
    write_packed(&b, (uint32_t[3]){5, 2, 7}, 3, 3);
    CHECK_NUMBER(2, b.n);
    CHECK_BYTES("\xd5\x01", b.at, 2);
}

static void dirty_padding_of_packed_elements_is_bad(void)
{
    uint32_t out[3];
    struct reader r = reader_of((struct view){.at = (const uint8_t *)"\xd5\x03", .n = 2});
    read_packed(&r, out, 3, 3);
    CHECK_STATUS(STATUS_FORMAT, reader_end(&r));
}

static void too_few_packed_elements_are_zeros_and_bad(void)
{
    uint32_t out[3] = {9, 9, 9};
    struct reader r = reader_of((struct view){.at = (const uint8_t *)"\xd5", .n = 1});
    read_packed(&r, out, 3, 3);
    CHECK(out[0] == 0 && out[1] == 0 && out[2] == 0);
    CHECK_STATUS(STATUS_FORMAT, reader_end(&r));
}

static void out_of_memory_leaves_a_bit_set_untouched(void)
{
    OOM_EACH {
        struct reader r = reader_of((struct view){.at = (const uint8_t *)"\x04\0\0\0\x0f", .n = 5});
        struct bits out = {.n = 7};
        const enum status status = read_bits(&r, &out, 4);
        oom_stop();
        if (status == STATUS_OK) {
            CHECK_NUMBER(4, bits_count(&out));
            bits_free(&out);
            continue;
        }
        CHECK_STATUS(STATUS_NOMEM, status);
        CHECK(out.n == 7 && out.word == NULL);
    }
}

int main(void)
{
    RUN(bit_sets_come_back);
    RUN(malformed_bit_sets_are_refused);
    RUN(packed_sizes_are_rounded_up_once);
    RUN(packed_elements_come_back_at_every_width);
    RUN(packed_elements_are_read_to_their_end_and_no_further);
    RUN(packing_is_lowest_bit_first);
    RUN(dirty_padding_of_packed_elements_is_bad);
    RUN(too_few_packed_elements_are_zeros_and_bad);
    RUN(out_of_memory_leaves_a_bit_set_untouched);
    return check_done();
}
