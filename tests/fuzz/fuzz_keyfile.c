/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: keyfile_decode. A key that was accepted has a good name and comes back from its text. */
#include <string.h>

#include "base/secret.h"
#include "crypto/keyfile.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct keyfile key, back;
    if (keyfile_decode(&key, (struct view){.at = data, .n = size}) != STATUS_OK) {
        REQUIRE(secret_equal(&key, &(struct keyfile){0}, sizeof key));
        return 0;
    }
    REQUIRE(keyfile_name_ok(key.name));
    char text[KEYFILE_TEXT_MAX];
    const size_t n = keyfile_encode(text, &key);
    REQUIRE(n == size);
    REQUIRE(keyfile_decode(&back, (struct view){(const uint8_t *)text, n}) == STATUS_OK);
    REQUIRE(memcmp(&key, &back, sizeof key) == 0);
    return 0;
}
