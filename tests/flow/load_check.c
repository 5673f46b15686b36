/* SPDX-License-Identifier: Apache-2.0 */
/* Compare an opened sum with what its survivors put in. Usage: load_check SUMS ROUND < survivors,
 * site numbers one a line. Exit 0 when every word is right. */
#include <stdio.h>
#include <stdlib.h>

#include "base/command.h"
#include "base/file.h"
#include "tests/flow/load.h"

int main(int argc, char **argv)
{
    if (argc != 3) return EXIT_USAGE;
    AUTO(buffer_free) struct buffer sums = {0};
    if (file_read(&sums, argv[1], 1 << 30) != STATUS_OK || sums.n == 0) return EXIT_DATA;
    const size_t n = sums.n / 4;
    const uint32_t round = (uint32_t)strtoul(argv[2], NULL, 10);
    uint32_t *total = calloc(n, sizeof *total);
    int32_t *input = calloc(n, sizeof *input);
    REQUIRE(total != NULL && input != NULL);
    unsigned site = 0;
    size_t count = 0, wrong = 0;
    while (scanf("%u", &site) == 1) {
        load_input(input, n, site, round);
        for (size_t i = 0; i < n; i++) total[i] += (uint32_t)input[i];
        count++;
    }
    struct reader r = reader_of(buffer_view(&sums));
    /* The sum is modulo the ring; what sites put in is small, so its low bits decide. */
    for (size_t i = 0; i < n; i++) wrong += ((read_u32(&r) ^ total[i]) & 0xffffff) != 0;
    printf("round %u: %zu sites, %zu words, %zu wrong\n", round, count, n, wrong);
    free(total);
    free(input);
    return count > 0 && wrong == 0 ? EXIT_OK : EXIT_VERIFY;
}
