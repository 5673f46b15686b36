/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that print what was wanted and what came, and a program that fails also when it checked
 * nothing. A test's name is the fact that it shows. */
#ifndef TESTS_LIB_CHECK_H
#define TESTS_LIB_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

void check_that(bool holds, const char *file, int line, const char *what);
void check_status_is(enum status want, enum status got, const char *file, int line,
                     const char *what);
void check_number_is(long long want, long long got, const char *file, int line, const char *what);
void check_close_to(double want, double got, double tolerance, const char *file, int line,
                    const char *what);
void check_bytes_are(const void *want, const void *got, size_t n, const char *file, int line,
                     const char *what);

#define CHECK(condition) check_that((condition), __FILE__, __LINE__, #condition)
#define CHECK_STATUS(want, call) check_status_is((want), (call), __FILE__, __LINE__, #call)
#define CHECK_OK(call) CHECK_STATUS(STATUS_OK, call)
#define CHECK_NUMBER(want, got)                                                                    \
    check_number_is((long long)(want), (long long)(got), __FILE__, __LINE__, #got)
#define CHECK_CLOSE(want, got, tolerance)                                                          \
    check_close_to((want), (got), (tolerance), __FILE__, __LINE__, #got)
#define CHECK_BYTES(want, got, n) check_bytes_are((want), (got), (n), __FILE__, __LINE__, #got)

/* Run one case and print its name. */
#define RUN(name) (check_case(#name), name())
void check_case(const char *name);

/* Exit status of the program: 1 when a check failed or none was made. */
MUST_USE int check_done(void);

/* How many checks have failed so far. */
size_t check_failures(void);

#endif
