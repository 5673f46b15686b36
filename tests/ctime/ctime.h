/* SPDX-License-Identifier: Apache-2.0 */
/* Outside valgrind the marks do nothing and a program would pass without having shown anything. */
#ifndef TESTS_CTIME_CTIME_H
#define TESTS_CTIME_CTIME_H

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

#endif
