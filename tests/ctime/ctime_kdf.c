/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/kdf.h"

#include "tests/ctime/ctime.h"

static void key_and_context_leave_no_trace(void)
{
    uint8_t key[KDF_KEY_BYTES] = {1}, context[200] = {2}, out[KDF_KEY_BYTES];
    SECRET(key, sizeof key);
    kdf_derive(out, key, "test", (struct view){0});
    reveal(out, sizeof out);
    SECRET(context, sizeof context);
    kdf_derive(key, key, "test", (struct view){context, sizeof context});
    reveal(key, sizeof key);
}

int main(void)
{
    RUN(marks_are_seen);
    RUN(key_and_context_leave_no_trace);
    return check_done();
}
