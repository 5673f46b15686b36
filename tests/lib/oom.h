/* SPDX-License-Identifier: Apache-2.0 */
/* Failing allocations, one after the other: link the test with `oom_wrap` (tests/meson.build), then
 *
 *   OOM_EACH {
 *       enum status status = thing_new(&thing);
 *       oom_stop();
 *       if (status == STATUS_OK) { ...; thing_free(&thing); }
 *       else CHECK_STATUS(STATUS_NOMEM, status);
 *   }
 *
 * The body runs with allocation 1, 2, 3, ... failing until it ran without a failure. */
#ifndef TESTS_LIB_OOM_H
#define TESTS_LIB_OOM_H

#include <stdbool.h>
#include <stddef.h>

/* Let allocation number k from now on (1-based), and all after it, fail. */
void oom_start(size_t k);
void oom_stop(void);
/* Go on counting where oom_stop held it. */
void oom_resume(void);
/* Whether an allocation failed since oom_start. */
bool oom_hit(void);

#define OOM_EACH                                                                                   \
    for (size_t oom_k_ = (oom_start(1), 1), oom_again_ = 1; oom_again_ != 0; oom_stop(),           \
                oom_again_ = oom_hit(), oom_k_++, oom_again_ != 0 ? oom_start(oom_k_) : (void)0)

#endif
