/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crew.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/status.h"

struct crew {
    crew_work *work;
    void *context;
    uint32_t n;
    _Atomic uint32_t next; /* that nobody has begun with */
};

static void *run(void *argument)
{
    struct crew *crew = argument;
    for (;;) {
        const uint32_t i = atomic_fetch_add(&crew->next, 1);
        if (i >= crew->n) return NULL;
        crew->work(crew->context, i);
    }
}

void crew_run(crew_work *work, void *context, uint32_t n, unsigned threads)
{
    struct crew crew = {.work = work, .context = context, .n = n};
    pthread_t thread[CREW_MAX];
    unsigned started = 0;
    /* Where no thread can be had, those that there are do it all. */
    while (started + 1 < threads && started < CREW_MAX && started + 1 < n &&
           pthread_create(&thread[started], NULL, run, &crew) == 0)
        started++;
    (void)run(&crew);
    while (started > 0) REQUIRE(pthread_join(thread[--started], NULL) == 0);
}
