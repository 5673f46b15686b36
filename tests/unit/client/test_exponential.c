/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/exponential.h"

#include <math.h>

#include "tests/lib/check.h"

static void every_size_is_close(void)
{
    double most = 0;
    for (float x = -EXPONENTIAL_MOST; x <= EXPONENTIAL_MOST; x += 1.0f / 1024) {
        const double want = exp((double)x);
        most = fmax(most, fabs((double)exponential(x) - want) / want);
    }
    CHECK(most < 3e-7);
    CHECK_CLOSE(1, (double)exponential(0), 0);
    CHECK_CLOSE(1, (double)exponential(-0.0f), 0);
}

static void what_is_larger_is_held(void)
{
    const float top = exponential(EXPONENTIAL_MOST), bottom = exponential(-EXPONENTIAL_MOST);
    const float large[] = {87.001f, 1000, 3e38f, INFINITY};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        CHECK_CLOSE((double)top, (double)exponential(large[i]), 0);
        CHECK_CLOSE((double)bottom, (double)exponential(-large[i]), 0);
    }
    CHECK(isfinite(top) && bottom > 0);
}

int main(void)
{
    RUN(every_size_is_close);
    RUN(what_is_larger_is_held);
    return check_done();
}
