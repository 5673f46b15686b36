/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stage.h"

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

/* The same three facts for each type of the road. */
#define STAGE_CASES(type)                                                                          \
    static void type##_starts_as_zeros(void)                                                       \
    {                                                                                              \
        AUTO(type##_free) struct type x = {0};                                                     \
        CHECK_OK(type##_new(&x, 5));                                                               \
        CHECK_NUMBER(5, x.n);                                                                      \
        for (size_t i = 0; i < x.n; i++) CHECK(x.value[i] == 0);                                   \
    }                                                                                              \
    static void type##_free_leaves_an_empty_object(void)                                           \
    {                                                                                              \
        struct type x = {0};                                                                       \
        type##_free(&x);                                                                           \
        CHECK_OK(type##_new(&x, 3));                                                               \
        type##_free(&x);                                                                           \
        CHECK_NUMBER(0, x.n);                                                                      \
        CHECK(x.value == NULL);                                                                    \
        type##_free(&x);                                                                           \
    }                                                                                              \
    static void type##_out_of_memory_leaves_out_untouched(void)                                    \
    {                                                                                              \
        OOM_EACH {                                                                                 \
            struct type x = {.n = 7};                                                              \
            enum status status = type##_new(&x, 2);                                                \
            oom_stop();                                                                            \
            if (status == STATUS_OK) {                                                             \
                CHECK(!oom_hit());                                                                 \
                type##_free(&x);                                                                   \
                continue;                                                                          \
            }                                                                                      \
            CHECK_STATUS(STATUS_NOMEM, status);                                                    \
            CHECK(x.n == 7 && x.value == NULL);                                                    \
        }                                                                                          \
    }

#define STAGE_RUN(type)                                                                            \
    RUN(type##_starts_as_zeros);                                                                   \
    RUN(type##_free_leaves_an_empty_object);                                                       \
    RUN(type##_out_of_memory_leaves_out_untouched)

STAGE_CASES(encoded)
STAGE_CASES(noised)
STAGE_CASES(masked)
STAGE_CASES(total)
STAGE_CASES(opened)
STAGE_CASES(mean)

int main(void)
{
    STAGE_RUN(encoded);
    STAGE_RUN(noised);
    STAGE_RUN(masked);
    STAGE_RUN(total);
    STAGE_RUN(opened);
    STAGE_RUN(mean);
    return check_done();
}
