/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: manifest_read, request_read. What was accepted is written back to the same bytes. */
#include <string.h>

#include "protocol/manifest.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct view in = {data, size};
    AUTO(manifest_free) struct manifest manifest = {0};
    enum reason why = REASON_NONE;
    if (manifest_read(&manifest, in, &why) == STATUS_OK) {
        AUTO(buffer_free) struct buffer again = {0};
        manifest_write(&again, &manifest);
        REQUIRE(again.n + manifest.governors_needed * (1 + SIGN_BYTES) <= size);
        REQUIRE(memcmp(again.at, data, again.n) == 0);
    } else {
        REQUIRE(why == REASON_FORMAT || why == REASON_MANIFEST_QUORUM);
        REQUIRE(manifest.member == NULL);
    }
    struct member member = {0};
    if (request_read(&member, in) == STATUS_OK) REQUIRE(keyfile_name_ok(member.name));
    return 0;
}
