/* SPDX-License-Identifier: Apache-2.0 */
/* A planted leak: a table read at a place that depends on a secret key. Must end with 42. */
#include "crypto/kdf.h"
#include "tests/ctime/ctime.h"

int main(void)
{
    static volatile uint8_t table[256];
    uint8_t key[KDF_KEY_BYTES] = {1};
    SECRET(key, sizeof key);
    kdf_derive(key, key, "leak", (struct view){0});
    uint8_t found = table[key[0]];
    PUBLIC(&found, sizeof found);
    CHECK_NUMBER(0, found);
    return check_done();
}
