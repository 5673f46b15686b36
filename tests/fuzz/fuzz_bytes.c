/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: every reader of base/bytes.c. The input is a sequence of reads: one byte chooses the
 * reader, and what follows it is read. What was read well is written again and must be the same
 * bytes. */
#include <string.h>

#include "base/bytes.h"
#include "tests/fuzz/fuzz.h"

#define COUNT_MAX 300

static void again_blob(struct reader *r, struct buffer *out)
{
    const struct view blob = read_blob(r, COUNT_MAX);
    REQUIRE(blob.n <= COUNT_MAX);
    write_blob(out, blob.at, blob.n);
}

static void again_bits(struct reader *r, struct buffer *out)
{
    AUTO(bits_free) struct bits bits = {0};
    const size_t n = read_u8(r);
    write_u8(out, (uint8_t)n);
    if (read_bits(r, &bits, n) != STATUS_OK) {
        r->bad = true;
        return;
    }
    REQUIRE(bits_count(&bits) <= n);
    write_bits(out, &bits);
}

static void again_packed(struct reader *r, struct buffer *out)
{
    uint32_t element[UINT8_MAX];
    const uint8_t n = read_u8(r), width = read_u8(r);
    write_u8(out, n);
    write_u8(out, width);
    if (width < 1 || width > 32) return;
    read_packed(r, element, n, width);
    write_packed(out, element, n, width);
}

static void again_one(struct reader *r, struct buffer *out)
{
    uint8_t bytes[7];
    const uint8_t kind = read_u8(r);
    write_u8(out, kind);
    switch (kind) {
    case 'a':
        write_u8(out, read_u8(r));
        break;
    case 'b':
        write_u16(out, read_u16(r));
        break;
    case 'c':
        write_u32(out, read_u32(r));
        break;
    case 'd':
        write_u64(out, read_u64(r));
        break;
    case 'e':
        write_f32(out, read_f32(r));
        break;
    case 'f':
        write_f64(out, read_f64(r));
        break;
    case 'g':
        read_bytes(r, bytes, sizeof bytes);
        write_bytes(out, bytes, sizeof bytes);
        break;
    case 'h':
        again_blob(r, out);
        break;
    case 'i':
        again_bits(r, out);
        break;
    case 'j':
        again_packed(r, out);
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of((struct view){.at = data, .n = size});
    AUTO(buffer_free) struct buffer out = {0};
    while (r.left > 0 && !r.bad) again_one(&r, &out);
    if (r.bad || out.status != STATUS_OK) return 0;
    REQUIRE(out.n == size && (size == 0 || memcmp(out.at, data, size) == 0));
    return 0;
}
