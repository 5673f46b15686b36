/* SPDX-License-Identifier: Apache-2.0 */
#include "benchmarks/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__clang__)
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

double bench_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void bench_header(const char *commit)
{
    char line[256] = "", name[256] = "unknown";
    FILE *info = fopen("/proc/cpuinfo", "r");
    while (info != NULL && fgets(line, sizeof line, info) != NULL)
        if (sscanf(line, "model name : %255[^\n]", name) == 1) break;
    if (info != NULL) fclose(info);
    printf("# commit %s, compiler %s, cpu %s\n", commit, COMPILER, name);
}

void bench_must(enum status status)
{
    if (status == STATUS_OK) return;
    fprintf(stderr, "benchmark: %s\n", status_text(status));
    exit(1);
}
