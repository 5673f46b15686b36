/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/check.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static atomic_size_t checks, failures;
static const char *current = "";

static bool count(bool holds, const char *file, int line)
{
    checks++;
    if (holds) return false;
    failures++;
    printf("%s:%d: in %s: ", file, line, current);
    return true;
}

void check_that(bool holds, const char *file, int line, const char *what)
{
    if (count(holds, file, line)) printf("%s does not hold\n", what);
}

void check_status_is(enum status want, enum status got, const char *file, int line,
                     const char *what)
{
    if (count(want == got, file, line))
        printf("%s: wanted \"%s\", got \"%s\"\n", what, status_text(want), status_text(got));
}

void check_number_is(long long want, long long got, const char *file, int line, const char *what)
{
    if (count(want == got, file, line)) printf("%s: wanted %lld, got %lld\n", what, want, got);
}

void check_close_to(double want, double got, double tolerance, const char *file, int line,
                    const char *what)
{
    if (count(fabs(want - got) <= tolerance, file, line))
        printf("%s: wanted %.12g within %g, got %.12g\n", what, want, tolerance, got);
}

void check_bytes_are(const void *want, const void *got, size_t n, const char *file, int line,
                     const char *what)
{
    if (!count(memcmp(want, got, n) == 0, file, line)) return;
    const unsigned char *w = want, *g = got;
    size_t i = 0;
    while (w[i] == g[i]) i++;
    printf("%s: byte %zu of %zu: wanted %02x, got %02x\n", what, i, n, w[i], g[i]);
}

void check_case(const char *name)
{
    current = name;
    printf("case %s\n", name);
    fflush(stdout);
}

size_t check_failures(void)
{
    return failures;
}

int check_done(void)
{
    if (checks == 0) printf("nothing was checked\n");
    printf("%zu checks, %zu failed\n", (size_t)checks, (size_t)failures);
    return checks == 0 || failures > 0 ? 1 : 0;
}
