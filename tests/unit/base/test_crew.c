/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crew.h"

#include <pthread.h>
#include <sys/resource.h>

#include "base/status.h"
#include "tests/lib/check.h"

struct part {
    unsigned calls;
    pthread_t by;
};

static void count(void *argument)
{
    struct part *part = argument;
    part->calls++;
    part->by = pthread_self();
}

static void every_part_is_done_once_and_none_beyond(void)
{
    for (size_t n = 0; n <= CREW_MAX; n++) {
        struct part part[CREW_MAX + 1] = {{0}};
        crew_run(count, part, sizeof *part, n);
        bool once = true;
        for (size_t k = 0; k <= CREW_MAX; k++) once = once && part[k].calls == (k < n ? 1 : 0);
        CHECK(once);
    }
}

static void the_caller_does_the_first_and_threads_the_others(void)
{
    struct part part[3] = {{0}};
    crew_run(count, part, sizeof *part, 3);
    CHECK(pthread_equal(part[0].by, pthread_self()) != 0);
    CHECK(pthread_equal(part[1].by, pthread_self()) == 0);
    CHECK(pthread_equal(part[2].by, pthread_self()) == 0);
}

static void without_threads_the_caller_does_all(void)
{
    /* No memory for a thread's stack. */
    struct rlimit before;
    REQUIRE(getrlimit(RLIMIT_AS, &before) == 0);
    const struct rlimit none = {.rlim_cur = 1, .rlim_max = before.rlim_max};
    struct part part[4] = {{0}};
    REQUIRE(setrlimit(RLIMIT_AS, &none) == 0);
    crew_run(count, part, sizeof *part, 4);
    REQUIRE(setrlimit(RLIMIT_AS, &before) == 0);
    for (size_t k = 0; k < 4; k++) CHECK_NUMBER(1, part[k].calls);
}

int main(void)
{
    RUN(without_threads_the_caller_does_all);
    RUN(every_part_is_done_once_and_none_beyond);
    RUN(the_caller_does_the_first_and_threads_the_others);
    return check_done();
}
