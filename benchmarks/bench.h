/* SPDX-License-Identifier: Apache-2.0 */
/* What all benchmarks share. */
#ifndef BENCHMARKS_BENCH_H
#define BENCHMARKS_BENCH_H

#include "base/status.h"

/* The time that this process has had a processor. */
double bench_seconds(void);

/* "# commit ..., compiler ..., cpu ..." */
void bench_header(const char *commit);

/* Stop the program when something failed. */
void bench_must(enum status status);

#endif
