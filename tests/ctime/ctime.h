/* SPDX-License-Identifier: Apache-2.0 */
/* What the constant-time programs share. Outside valgrind the marks do nothing and a program would
 * pass without having shown anything. */
#ifndef TESTS_CTIME_CTIME_H
#define TESTS_CTIME_CTIME_H

#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "base/secret.h"
#include "tests/lib/check.h"

static inline void marks_are_seen(void)
{
    unsigned char byte = 0, mark = 0;
    SECRET(&byte, 1);
    CHECK(VALGRIND_GET_VBITS(&byte, &mark, 1) == 1);
    CHECK_NUMBER(0xff, mark);
}

/* Whether any bit of n bytes depends on a secret. */
static inline bool is_secret(const void *at, size_t n)
{
    bool some = false;
    for (size_t i = 0; i < n; i++) {
        unsigned char mark = 0;
        some |= VALGRIND_GET_VBITS((const unsigned char *)at + i, &mark, 1) == 1 && mark != 0;
    }
    return some;
}

/* Make an output public, having checked that secrets went into it. With LEAK=branch or LEAK=index
 * in the environment its bytes are leaked first, which must end the program with 42. */
static inline void reveal(const void *at, size_t n)
{
    static volatile unsigned char table[256];
    const unsigned char *out = at;
    const char *leak = getenv("LEAK");
    CHECK(is_secret(out, n));
    for (size_t i = 0; leak != NULL && i < n; i++) {
        if (strcmp(leak, "index") == 0) (void)table[out[i]];
        if (strcmp(leak, "branch") == 0 && (out[i] & 1) != 0) (void)table[0];
    }
    PUBLIC(at, n);
}

#endif
