/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/crew.h"

#include <stddef.h>

#include "tests/lib/check.h"

enum { MOST = 200 };

static void count(void *context, uint32_t i)
{
    unsigned *done = context;
    done[i]++;
}

static void everything_is_done_once(void)
{
    static const unsigned threads[] = {0, 1, 2, 7, CREW_THREADS_MAX, 1000};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++)
        for (uint32_t n = 0; n <= MOST; n += 1 + n / 3) {
            unsigned done[MOST + 1] = {0};
            crew_run(count, done, n, threads[t]);
            for (uint32_t i = 0; i <= MOST; i++) CHECK_NUMBER(i < n, done[i]);
        }
}

int main(void)
{
    RUN(everything_is_done_once);
    return check_done();
}
