/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: round_message, round_deadline. The sites' letters come in any order, lost, doubled,
 * altered with and without their signatures; the round ends, and without lies exactly. */
#include "tests/fuzz/fuzz.h"
#include "tests/lib/drive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    drive((struct view){data, size}, true);
    return 0;
}
