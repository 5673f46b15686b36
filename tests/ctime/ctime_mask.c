/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels that memcheck can run: it knows AVX2 and AES-NI, but neither VAES nor AVX-512, and
 * hides what it does not know from the program. */
#include "crypto/mask_kernel.h"

#include <stdio.h>
#include <string.h>

#include "tests/ctime/ctime.h"

#define N 1500

/* Whole chunks, ragged ends, both signs. */
static void inputs_and_pads_leave_no_trace(void)
{
    static const struct mask_how how = {.bits = 20};
    static uint32_t value[N];
    for (size_t i = 0; i < mask_kernels; i++) {
        const struct mask_kernel *kernel = &mask_kernel[i];
        printf("  %s: %s\n", kernel->name, kernel->available() ? "tested" : "missing");
        if (!kernel->available()) continue;
        struct pad pad[2] = {{.key = {1}, .sign = 1}, {.key = {2}, .sign = -1}};
        for (uint32_t j = 0; j < N; j++) value[j] = j;
        for (size_t k = 0; k < 2; k++) SECRET(pad[k].key, sizeof pad[k].key);
        mask_mix(kernel, value, N, pad, 2, &how, 5, 1);
        CHECK(is_secret(&value[0], 4) && is_secret(&value[N / 2], 4));
        mask_mix(kernel, value, N, pad, 2, &how, 5, -1);
        reveal(value, sizeof value);
        for (uint32_t j = 0; j < N; j++) CHECK_NUMBER(j, value[j]);
    }
}

/* What carries the input from its owner to the next. */
static void masking_leaves_no_trace(void)
{
    static const struct mask_how how = {.bits = 20};
    AUTO(noised_free) struct noised in = {0};
    AUTO(masked_free) struct masked out = {0};
    struct pad pad = {.key = {1}, .sign = 1};
    CHECK_OK(noised_new(&in, N));
    SECRET(in.value, N * sizeof *in.value);
    SECRET(pad.key, sizeof pad.key);
    CHECK_OK(mask_add(&out, &in, &pad, 1, &how, 0));
    reveal(out.value, N * sizeof *out.value);
}

int main(void)
{
    RUN(marks_are_seen);
    RUN(inputs_and_pads_leave_no_trace);
    RUN(masking_leaves_no_trace);
    return check_done();
}
