/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/loss.h"

#include <math.h>

#include "tests/lib/check.h"

static void equal_logits_cost_the_logarithm_of_the_classes(void)
{
    const float logits[] = {2, 2, 2, 2, -7, -7, -7, -7};
    const uint8_t label[] = {0, 3};
    float delta[8] = {0};
    CHECK_CLOSE(2 * log(4.0), loss_softmax(delta, logits, label, 2, 4), 1e-6);
    const float want[] = {-0.75f, 0.25f, 0.25f, 0.25f, 0.25f, 0.25f, 0.25f, -0.75f};
    for (size_t i = 0; i < 8; i++) CHECK_CLOSE((double)want[i], (double)delta[i], 1e-7);
}

static void derivative_is_that_of_finite_differences(void)
{
    const double logit[] = {0.3, -1.2, 2.0};
    const float logits[] = {0.3f, -1.2f, 2.0f};
    for (uint8_t label = 0; label < 3; label++) {
        float delta[3] = {0};
        (void)loss_softmax(delta, logits, &label, 1, 3);
        for (size_t c = 0; c < 3; c++) {
            double loss[2] = {0};
            for (size_t side = 0; side < 2; side++) {
                double sum = 0;
                double moved[3] = {logit[0], logit[1], logit[2]};
                moved[c] += side == 0 ? -1e-6 : 1e-6;
                for (size_t k = 0; k < 3; k++) sum += exp(moved[k]);
                loss[side] = log(sum) - moved[label];
            }
            CHECK_CLOSE((loss[1] - loss[0]) / 2e-6, (double)delta[c], 1e-6);
        }
    }
}

static void huge_logits_do_not_overflow(void)
{
    const float logits[] = {3e38f, -3e38f, 1000, 0};
    const uint8_t label[] = {0, 1};
    float delta[4] = {0};
    CHECK_CLOSE(1000, loss_softmax(delta, logits, label, 2, 2), 1e-3);
    CHECK_CLOSE(0, (double)delta[0], 0);
    CHECK_CLOSE(-1, (double)delta[3], 0);
}

static void delta_may_be_the_logits(void)
{
    float logits[] = {0, 0};
    const uint8_t label = 1;
    (void)loss_softmax(logits, logits, &label, 1, 2);
    CHECK_CLOSE(0.5, (double)logits[0], 1e-7);
    CHECK_CLOSE(-0.5, (double)logits[1], 1e-7);
}

static void hit_is_the_largest_and_the_first_of_a_tie(void)
{
    const float logits[] = {0, 1, 1, 5, 1, 1};
    CHECK_NUMBER(2, loss_hits(logits, (const uint8_t[]){1, 0}, 2, 3));
    CHECK_NUMBER(0, loss_hits(logits, (const uint8_t[]){2, 1}, 2, 3));
}

int main(void)
{
    RUN(equal_logits_cost_the_logarithm_of_the_classes);
    RUN(derivative_is_that_of_finite_differences);
    RUN(huge_logits_do_not_overflow);
    RUN(delta_may_be_the_logits);
    RUN(hit_is_the_largest_and_the_first_of_a_tie);
    return check_done();
}
