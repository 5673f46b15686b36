/* SPDX-License-Identifier: Apache-2.0 */
/* Pads that go on and come off; the words of a pad are test_mask_kernel.c's. */
#include "crypto/mask.h"

#include <stdlib.h>

#include "tests/lib/check.h"

#define N 2500
#define PADS 3

static const struct pad pads[PADS] = {{{1}, 1}, {{2, 7}, -1}, {{3}, 1}};

static uint32_t ring(unsigned bits)
{
    return (uint32_t)((UINT64_C(1) << bits) - 1);
}

static void fill(uint32_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = (uint32_t)(i + 1) * 0x9e3779b9;
}

static uint32_t *filled(size_t n)
{
    uint32_t *value = calloc(n, sizeof *value);
    REQUIRE(value != NULL);
    fill(value, n);
    return value;
}

static void masks_cancel(void)
{
    static const struct pad plus = {{5}, 1}, minus = {{5}, -1};
    for (int i = 0; i < MASK_CIPHERS; i++) {
        const struct mask_how how = {.cipher = (enum mask_cipher)i, .bits = 17, .threads = 2};
        if (!mask_available(how.cipher)) continue;
        AUTO(noised_free) struct noised a = {.n = N, .value = filled(N)};
        AUTO(noised_free) struct noised b = {.n = N, .value = filled(N)};
        AUTO(masked_free) struct masked ya = {0}, yb = {0};
        static uint32_t plain[N];
        fill(plain, N);
        CHECK_OK(mask_add(&ya, &a, &plus, 1, &how, 3));
        CHECK_OK(mask_add(&yb, &b, &minus, 1, &how, 3));
        size_t changed = 0;
        for (size_t j = 0; j < N; j++) {
            CHECK_NUMBER(2 * plain[j] & ring(17), (ya.value[j] + yb.value[j]) & ring(17));
            changed += ya.value[j] != (plain[j] & ring(17));
        }
        CHECK(changed > N - 10);
    }
}

static void the_memory_moves_and_taking_undoes_adding(void)
{
    for (int i = 0; i < MASK_CIPHERS; i++) {
        const struct mask_how how = {.cipher = (enum mask_cipher)i, .bits = 23};
        if (!mask_available(how.cipher)) continue;
        uint32_t *memory = filled(N), *plain = filled(N);
        struct noised in = {.n = N, .value = memory};
        struct masked masked = {0};
        CHECK_OK(mask_add(&masked, &in, pads, PADS, &how, 7));
        CHECK(in.n == 0 && in.value == NULL && masked.n == N && masked.value == memory);
        struct total total = {.n = N, .value = masked.value};
        AUTO(opened_free) struct opened opened = {0};
        CHECK_OK(mask_take(&opened, &total, pads, PADS, &how, 7));
        CHECK(total.n == 0 && total.value == NULL && opened.n == N && opened.value == memory);
        for (size_t j = 0; j < N; j++) CHECK_NUMBER(plain[j] & ring(23), opened.value[j]);
        free(plain);
    }
}

static void without_pads_the_input_is_reduced(void)
{
    AUTO(noised_free) struct noised in = {.n = N, .value = filled(N)}, none = {0};
    AUTO(masked_free) struct masked out = {0}, nothing = {0};
    static uint32_t plain[N];
    fill(plain, N);
    CHECK_OK(mask_add(&out, &in, NULL, 0, &(struct mask_how){.bits = 8}, 0));
    for (size_t j = 0; j < N; j++) CHECK_NUMBER(plain[j] & 0xff, out.value[j]);
    CHECK_OK(mask_add(&nothing, &none, pads, PADS, &(struct mask_how){.bits = 8}, 0));
    CHECK(nothing.n == 0 && nothing.value == NULL);
}

/* Both directions refuse the same things, and leave everything as it was. */
static void refuse(struct mask_how how, int sign, uint64_t at)
{
    uint32_t value[4] = {7, 7, 7, 7};
    struct noised in = {.n = 4, .value = value};
    struct total total = {.n = 4, .value = value};
    struct masked masked = {0};
    struct opened opened = {0};
    const struct pad two[2] = {{.key = {1}, .sign = 1}, {.key = {2}, .sign = sign}};
    CHECK_STATUS(STATUS_RANGE, mask_add(&masked, &in, two, 2, &how, at));
    CHECK_STATUS(STATUS_RANGE, mask_take(&opened, &total, two, 2, &how, at));
    CHECK(masked.n == 0 && masked.value == NULL && opened.n == 0 && opened.value == NULL);
    CHECK(in.n == 4 && in.value == value && total.n == 4 && total.value == value);
    for (size_t i = 0; i < 4; i++) CHECK_NUMBER(7, value[i]);
}

static void a_ring_that_does_not_exist_is_refused(void)
{
    refuse((struct mask_how){.bits = 0}, 1, 0);
    refuse((struct mask_how){.bits = 33}, 1, 0);
}

static void a_cipher_that_does_not_exist_is_refused(void)
{
    refuse((struct mask_how){.cipher = MASK_CIPHERS, .bits = 32}, 1, 0);
}

static void too_many_threads_are_refused(void)
{
    refuse((struct mask_how){.bits = 32, .threads = MASK_THREADS_MAX + 1}, 1, 0);
}

static void a_sign_that_is_no_sign_is_refused(void)
{
    refuse((struct mask_how){.bits = 32}, 0, 0);
    refuse((struct mask_how){.bits = 32}, 2, 0);
    refuse((struct mask_how){.bits = 32}, -2, 0);
}

static void a_range_past_the_last_element_is_refused(void)
{
    refuse((struct mask_how){.bits = 32}, 1, UINT64_MAX - 3);
}

int main(void)
{
    RUN(masks_cancel);
    RUN(the_memory_moves_and_taking_undoes_adding);
    RUN(without_pads_the_input_is_reduced);
    RUN(a_ring_that_does_not_exist_is_refused);
    RUN(a_cipher_that_does_not_exist_is_refused);
    RUN(too_many_threads_are_refused);
    RUN(a_sign_that_is_no_sign_is_refused);
    RUN(a_range_past_the_last_element_is_refused);
    return check_done();
}
