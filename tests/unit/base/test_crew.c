/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crew.h"

#include <sys/resource.h>

#include "base/status.h"
#include "tests/lib/check.h"

enum { MOST = 200 };

static void count(void *context, uint32_t i)
{
    unsigned *done = context;
    done[i]++;
}

static void everything_is_done_once(void)
{
    static const unsigned threads[] = {0, 1, 2, 7, CREW_MAX, 1000};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++)
        for (uint32_t n = 0; n <= MOST; n += 1 + n / 3) {
            unsigned done[MOST + 1] = {0};
            crew_run(count, done, n, threads[t]);
            for (uint32_t i = 0; i <= MOST; i++) CHECK_NUMBER(i < n, done[i]);
        }
}

/* The sanitizer ends a program that cannot have a thread. */
#ifndef __SANITIZE_ADDRESS__
static void without_threads_the_caller_does_all(void)
{
    /* No memory for a thread's stack. */
    struct rlimit before;
    REQUIRE(getrlimit(RLIMIT_AS, &before) == 0);
    const struct rlimit none = {.rlim_cur = 1, .rlim_max = before.rlim_max};
    unsigned done[4] = {0};
    REQUIRE(setrlimit(RLIMIT_AS, &none) == 0);
    crew_run(count, done, 4, 4);
    REQUIRE(setrlimit(RLIMIT_AS, &before) == 0);
    for (size_t i = 0; i < 4; i++) CHECK_NUMBER(1, done[i]);
}
#endif

int main(void)
{
#ifndef __SANITIZE_ADDRESS__
    RUN(without_threads_the_caller_does_all);
#endif
    RUN(everything_is_done_once);
    return check_done();
}
