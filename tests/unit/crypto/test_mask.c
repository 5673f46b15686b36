/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mask.h"

#include <sodium.h>
#include <string.h>

#include "tests/lib/check.h"

/* RFC 8439, appendix A.1, test vectors 1 and 2: key and nonce zero, blocks 0 and 1. */
static const uint8_t zero_key_stream[128] = {
    0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28,
    0xbd, 0xd2, 0x19, 0xb8, 0xa0, 0x8d, 0xed, 0x1a, 0xa8, 0x36, 0xef, 0xcc, 0x8b, 0x77, 0x0d, 0xc7,
    0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d, 0x77, 0x24, 0xe0, 0x3f, 0xb8, 0xd8, 0x4a, 0x37,
    0x6a, 0x43, 0xb8, 0xf4, 0x15, 0x18, 0xa1, 0x1c, 0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86,
    0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d,
    0xcb, 0x0f, 0x29, 0xa0, 0x48, 0xe3, 0x65, 0x69, 0x12, 0xc6, 0x53, 0x3e, 0x32, 0xee, 0x7a, 0xed,
    0x29, 0xb7, 0x21, 0x76, 0x9c, 0xe6, 0x4e, 0x43, 0xd5, 0x71, 0x33, 0xb0, 0x74, 0xd8, 0x39, 0xd5,
    0x31, 0xed, 0x1f, 0x28, 0x51, 0x0a, 0xfb, 0x45, 0xac, 0xe1, 0x0a, 0x1f, 0x4b, 0x79, 0x4d, 0x6f,
};

/* More than two blocks of the implementation, and no multiple of anything. */
#define N 2500

static uint32_t word_of(const uint8_t *stream, size_t j)
{
    return (uint32_t)stream[4 * j] | (uint32_t)stream[4 * j + 1] << 8 |
           (uint32_t)stream[4 * j + 2] << 16 | (uint32_t)stream[4 * j + 3] << 24;
}

static uint32_t ring(unsigned bits)
{
    return (uint32_t)((UINT64_C(1) << bits) - 1);
}

static void fill(uint32_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = (uint32_t)(i + 1) * 0x9e3779b9;
}

/* Element by element, each pad's stream grown from its start: slow, and independent of blocks. */
static void mix_beside(uint32_t *out, const uint32_t *in, size_t n, const struct pad *pad,
                       size_t n_pads, unsigned bits, size_t at, int direction)
{
    static uint8_t stream[4 * (N + 64)];
    memcpy(out, in, n * sizeof *out);
    for (size_t k = 0; k < n_pads; k++) {
        CHECK_NUMBER(0, crypto_stream_chacha20(stream, 4 * (at + n), (uint8_t[8]){0}, pad[k].key));
        for (size_t i = 0; i < n; i++) {
            const uint32_t word = word_of(stream, at + i);
            out[i] = pad[k].sign * direction > 0 ? out[i] + word : out[i] - word;
        }
    }
    for (size_t i = 0; i < n; i++) out[i] &= ring(bits);
}

static const struct pad pads[3] = {
    {.key = {1}, .sign = 1}, {.key = {2}, .sign = -1}, {.key = {3}, .sign = 1}};

static void a_pad_is_the_keystream_of_rfc_8439(void)
{
    uint32_t zeros[32] = {0}, grown[32];
    const struct noised in = {.n = 32, .value = zeros};
    struct masked out = {.n = 32, .value = grown};
    const struct pad pad = {.sign = 1};
    CHECK_OK(mask_add(&out, &in, &pad, 1, 32, 0));
    for (size_t j = 0; j < 32; j++) CHECK_NUMBER(word_of(zero_key_stream, j), grown[j]);
}

static void any_range_can_be_grown_by_itself(void)
{
    uint32_t zeros[32] = {0}, grown[32];
    const struct pad pad = {.sign = 1};
    for (size_t at = 0; at < 32; at++)
        for (size_t n = 0; at + n <= 32; n++) {
            const struct noised in = {.n = n, .value = zeros};
            struct masked out = {.n = n, .value = grown};
            CHECK_OK(mask_add(&out, &in, &pad, 1, 32, at));
            for (size_t j = 0; j < n; j++) CHECK_NUMBER(word_of(zero_key_stream, at + j), grown[j]);
        }
}

static void sums_of_pads_agree_with_a_slow_twin(void)
{
    static uint32_t value[N], want[N], got[N];
    fill(value, N);
    static const size_t offsets[] = {0, 1, 15, 16, 17, 63};
    static const size_t sizes[] = {1, 15, 16, 1007, 1008, 1009, 1023, 1024, 1025, 2048, N};
    for (size_t o = 0; o < sizeof offsets / sizeof *offsets; o++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            const size_t n = sizes[s];
            const struct noised in = {.n = n, .value = value};
            const struct total sum = {.n = n, .value = value};
            struct masked masked = {.n = n, .value = got};
            struct opened opened = {.n = n, .value = got};
            CHECK_OK(mask_add(&masked, &in, pads, 3, 20, offsets[o]));
            mix_beside(want, value, n, pads, 3, 20, offsets[o], 1);
            CHECK_BYTES(want, got, n * sizeof *want);
            CHECK_OK(mask_take(&opened, &sum, pads, 3, 32, offsets[o]));
            mix_beside(want, value, n, pads, 3, 32, offsets[o], -1);
            CHECK_BYTES(want, got, n * sizeof *want);
        }
}

static void the_counter_goes_beyond_32_bits(void)
{
    const uint64_t block = UINT64_C(1) << 32;
    uint8_t want[64] = {0};
    CHECK_NUMBER(
        0, crypto_stream_chacha20_xor_ic(want, want, 64, (uint8_t[8]){0}, block, pads[0].key));
    uint32_t zeros[16] = {0}, got[16];
    const struct noised in = {.n = 16, .value = zeros};
    struct masked out = {.n = 16, .value = got};
    CHECK_OK(mask_add(&out, &in, pads, 1, 32, block * 16));
    for (size_t j = 0; j < 16; j++) CHECK_NUMBER(word_of(want, j), got[j]);
}

static void masks_cancel(void)
{
    static uint32_t a[N], b[N], ya[N], yb[N];
    fill(a, N);
    fill(b, N);
    const struct pad plus = {.key = {5}, .sign = 1}, minus = {.key = {5}, .sign = -1};
    const struct noised in_a = {.n = N, .value = a}, in_b = {.n = N, .value = b};
    struct masked out_a = {.n = N, .value = ya}, out_b = {.n = N, .value = yb};
    CHECK_OK(mask_add(&out_a, &in_a, &plus, 1, 17, 3));
    CHECK_OK(mask_add(&out_b, &in_b, &minus, 1, 17, 3));
    size_t changed = 0;
    for (size_t i = 0; i < N; i++) {
        CHECK_NUMBER((a[i] + b[i]) & ring(17), (ya[i] + yb[i]) & ring(17));
        changed += ya[i] != (a[i] & ring(17));
    }
    CHECK(changed > N - 10);
}

static void taking_undoes_adding_in_every_ring(void)
{
    for (unsigned bits = 1; bits <= MASK_BITS_MAX; bits++) {
        uint32_t value[40], hidden[40], back[40];
        fill(value, 40);
        const struct noised in = {.n = 40, .value = value};
        struct masked masked = {.n = 40, .value = hidden};
        const struct total total = {.n = 40, .value = hidden};
        struct opened opened = {.n = 40, .value = back};
        CHECK_OK(mask_add(&masked, &in, pads, 3, bits, 7));
        CHECK_OK(mask_take(&opened, &total, pads, 3, bits, 7));
        for (size_t i = 0; i < 40; i++) {
            CHECK(hidden[i] <= ring(bits));
            CHECK_NUMBER(value[i] & ring(bits), back[i]);
        }
    }
}

static void without_pads_the_input_is_reduced(void)
{
    uint32_t value[2] = {0x12345678, 3}, got[2];
    const struct noised in = {.n = 2, .value = value};
    struct masked out = {.n = 2, .value = got};
    CHECK_OK(mask_add(&out, &in, NULL, 0, 8, 0));
    CHECK(got[0] == 0x78 && got[1] == 3);
}

/* Both directions refuse the same things, and leave out as it was. */
static void refuse(size_t n_out, size_t n, unsigned bits, int sign, uint64_t at)
{
    uint32_t value[4] = {0}, got[4] = {7, 7, 7, 7};
    const struct noised in = {.n = n, .value = value};
    const struct total total = {.n = n, .value = value};
    struct masked masked = {.n = n_out, .value = got};
    struct opened opened = {.n = n_out, .value = got};
    const struct pad two[2] = {{.key = {1}, .sign = 1}, {.key = {2}, .sign = sign}};
    CHECK_STATUS(STATUS_RANGE, mask_add(&masked, &in, two, 2, bits, at));
    CHECK_STATUS(STATUS_RANGE, mask_take(&opened, &total, two, 2, bits, at));
    for (size_t i = 0; i < 4; i++) CHECK_NUMBER(7, got[i]);
}

static void length_mismatch_is_refused(void)
{
    refuse(3, 4, 32, 1, 0);
    refuse(4, 3, 32, 1, 0);
}

static void a_ring_that_does_not_exist_is_refused(void)
{
    refuse(4, 4, 0, 1, 0);
    refuse(4, 4, 33, 1, 0);
}

static void a_sign_that_is_no_sign_is_refused(void)
{
    refuse(4, 4, 32, 0, 0);
    refuse(4, 4, 32, 2, 0);
    refuse(4, 4, 32, -2, 0);
}

static void a_range_past_the_last_element_is_refused(void)
{
    refuse(4, 4, 32, 1, UINT64_MAX - 3);
}

int main(void)
{
    RUN(a_pad_is_the_keystream_of_rfc_8439);
    RUN(any_range_can_be_grown_by_itself);
    RUN(sums_of_pads_agree_with_a_slow_twin);
    RUN(the_counter_goes_beyond_32_bits);
    RUN(masks_cancel);
    RUN(taking_undoes_adding_in_every_ring);
    RUN(without_pads_the_input_is_reduced);
    RUN(length_mismatch_is_refused);
    RUN(a_ring_that_does_not_exist_is_refused);
    RUN(a_sign_that_is_no_sign_is_refused);
    RUN(a_range_past_the_last_element_is_refused);
    return check_done();
}
