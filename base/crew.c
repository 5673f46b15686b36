/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crew.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/status.h"

struct hand {
    void (*work)(void *part);
    void *part;
    bool started;
    pthread_t thread;
};

static void *hand_run(void *argument)
{
    const struct hand *hand = argument;
    hand->work(hand->part);
    return NULL;
}

void crew_run(void (*work)(void *part), void *parts, size_t bytes, size_t n)
{
    REQUIRE(n <= CREW_MAX);
    struct hand hand[CREW_MAX];
    for (size_t k = 0; k < n; k++)
        hand[k] = (struct hand){.work = work, .part = (char *)parts + k * bytes};
    for (size_t k = 1; k < n; k++)
        hand[k].started = pthread_create(&hand[k].thread, NULL, hand_run, &hand[k]) == 0;
    for (size_t k = 0; k < n; k++)
        if (!hand[k].started) work(hand[k].part);
    for (size_t k = 1; k < n; k++)
        if (hand[k].started) REQUIRE(pthread_join(hand[k].thread, NULL) == 0);
}
