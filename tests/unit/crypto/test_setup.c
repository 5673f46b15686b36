/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/setup.h"

#include <sodium.h>

#include "tests/lib/check.h"

static void libsodium_is_ready_afterwards_and_a_repeat_is_harmless(void)
{
    setup_sodium();
    CHECK_NUMBER(1, sodium_init());
    setup_sodium();
    CHECK_NUMBER(1, sodium_init());
}

int main(void)
{
    RUN(libsodium_is_ready_afterwards_and_a_repeat_is_harmless);
    return check_done();
}
