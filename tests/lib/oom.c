/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/oom.h"

#include <stdatomic.h>
#include <stdlib.h>

void *__real_malloc(size_t n) __attribute__((weak));
void *__real_calloc(size_t n, size_t size) __attribute__((weak));
void *__real_realloc(void *at, size_t n) __attribute__((weak));
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t n);

static atomic_bool armed, hit;
static atomic_size_t left;

void oom_start(size_t k)
{
    hit = false;
    left = k;
    armed = true;
}

void oom_stop(void)
{
    armed = false;
}

void oom_resume(void)
{
    armed = true;
}

bool oom_hit(void)
{
    return hit;
}

static bool fails(void)
{
    if (!armed) return false;
    if (left > 1) {
        left--;
        return false;
    }
    hit = true;
    return true;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *at, size_t n)
{
    return fails() ? NULL : __real_realloc(at, n);
}
