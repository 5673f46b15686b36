/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mask.h"

#include "tests/ctime/ctime.h"

#define N 1500

static void inputs_and_pads_leave_no_trace(void)
{
    static uint32_t value[N], hidden[N], back[N];
    for (uint32_t i = 0; i < N; i++) value[i] = i;
    struct pad pad[2] = {{.key = {1}, .sign = 1}, {.key = {2}, .sign = -1}};
    SECRET(value, sizeof value);
    for (size_t k = 0; k < 2; k++) SECRET(pad[k].key, sizeof pad[k].key);

    const struct noised in = {.n = N, .value = value};
    struct masked out = {.n = N, .value = hidden};
    CHECK_OK(mask_add(&out, &in, pad, 2, 20, 5));
    const struct total total = {.n = N, .value = hidden};
    struct opened opened = {.n = N, .value = back};
    CHECK_OK(mask_take(&opened, &total, pad, 2, 20, 5));
    PUBLIC(back, sizeof back);
    for (uint32_t i = 0; i < N; i++) CHECK_NUMBER(i, back[i]);
}

int main(void)
{
    RUN(marks_are_seen);
    RUN(inputs_and_pads_leave_no_trace);
    return check_done();
}
