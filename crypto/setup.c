/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/setup.h"

#include <sodium.h>

#include "base/status.h"

void setup_sodium(void)
{
    /* Takes libsodium's own lock; a repeated call does nothing and gives 1. */
    REQUIRE(sodium_init() >= 0);
}
