/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: memory_read, an entry of a site's journal. What was accepted is written back to the same
 * bytes. */
#include <string.h>

#include "client/session.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory memory = {0};
    if (memory_read(&memory, (struct view){data, size}) != STATUS_OK) {
        REQUIRE(memory.kind == 0);
        return 0;
    }
    REQUIRE(memory.kind >= MEMORY_PLAN && memory.kind <= MEMORY_FOLLOW);
    AUTO(buffer_free) struct buffer again = {0};
    memory_write(&again, &memory);
    REQUIRE(again.n == size && memcmp(again.at, data, size) == 0);
    return 0;
}
