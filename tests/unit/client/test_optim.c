/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/optim.h"

#include <math.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static void plain_step_goes_down_the_gradient(void)
{
    AUTO(optim_free) struct optim optim = {0};
    CHECK_OK(optim_new(&optim, 2, 0.5f, 0, 0));
    float w[] = {1, -1};
    optim_step(&optim, w, (const float[]){2, -4});
    CHECK_CLOSE(0, (double)w[0], 1e-7);
    CHECK_CLOSE(1, (double)w[1], 1e-7);
}

static void momentum_and_decay_follow_the_formula(void)
{
    AUTO(optim_free) struct optim optim = {0};
    CHECK_OK(optim_new(&optim, 1, 0.1f, 0.9f, 0.01f));
    float w = 2;
    double want = 2;
    double velocity = 0;
    for (int step = 0; step < 5; step++) {
        velocity = 0.9 * velocity + 1 + 0.01 * want;
        want -= 0.1 * velocity;
        optim_step(&optim, &w, (const float[]){1});
        CHECK_CLOSE(want, (double)w, 1e-6);
    }
}

static void pruned_weight_stays_zero(void)
{
    AUTO(optim_free) struct optim optim = {0};
    CHECK_OK(optim_new(&optim, 1, 0.1f, 0.9f, 0.01f));
    float w = 0;
    for (int step = 0; step < 5; step++) optim_step(&optim, &w, (const float[]){0});
    CHECK_CLOSE(0, (double)w, 0);
}

static void bad_settings_are_refused(void)
{
    struct optim optim = {0};
    CHECK_STATUS(STATUS_RANGE, optim_new(&optim, 0, 0.1f, 0, 0));
    const float bad_rate[] = {0, -1, INFINITY, NAN};
    const float bad_momentum[] = {-0.1f, 1, NAN};
    const float bad_decay[] = {-1, INFINITY, NAN};
    for (size_t i = 0; i < 4; i++)
        CHECK_STATUS(STATUS_RANGE, optim_new(&optim, 1, bad_rate[i], 0, 0));
    for (size_t i = 0; i < 3; i++) {
        CHECK_STATUS(STATUS_RANGE, optim_new(&optim, 1, 0.1f, bad_momentum[i], 0));
        CHECK_STATUS(STATUS_RANGE, optim_new(&optim, 1, 0.1f, 0, bad_decay[i]));
    }
    CHECK(optim.velocity == NULL && optim.n == 0);
}

static void memory_may_end(void)
{
    OOM_EACH {
        struct optim optim = {0};
        enum status status = optim_new(&optim, 3, 0.1f, 0, 0);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((status == STATUS_OK) == (optim.velocity != NULL));
        optim_free(&optim);
    }
}

int main(void)
{
    RUN(plain_step_goes_down_the_gradient);
    RUN(momentum_and_decay_follow_the_formula);
    RUN(pruned_weight_stays_zero);
    RUN(bad_settings_are_refused);
    RUN(memory_may_end);
    return check_done();
}
