/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stage.h"

#include <stdlib.h>

#include "base/secret.h"

#define STAGE(type, element, wipe)                                                                 \
    enum status type##_new(struct type *out, size_t n)                                             \
    {                                                                                              \
        REQUIRE(n > 0);                                                                            \
        element *value = calloc(n, sizeof *value);                                                 \
        if (value == NULL) return STATUS_NOMEM;                                                    \
        *out = (struct type){.n = n, .value = value};                                              \
        return STATUS_OK;                                                                          \
    }                                                                                              \
    void type##_free(struct type *x)                                                               \
    {                                                                                              \
        if (wipe) secret_wipe(x->value, x->n * sizeof *x->value);                                  \
        free(x->value);                                                                            \
        *x = (struct type){0};                                                                     \
    }

STAGE(encoded, int32_t, 1)
STAGE(noised, uint32_t, 1)
STAGE(masked, uint32_t, 0)
STAGE(total, uint32_t, 0)
STAGE(opened, uint32_t, 0)
STAGE(mean, float, 0)
