/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <stdint.h>
#include <string.h>

void secret_wipe(void *at, size_t bytes)
{
    if (bytes == 0) return;
    explicit_bzero(at, bytes);
}

bool secret_equal(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    uint8_t difference = 0;
    for (size_t i = 0; i < n; i++) difference = (uint8_t)(difference | (x[i] ^ y[i]));
    PUBLIC(&difference, sizeof difference);
    return difference == 0;
}
