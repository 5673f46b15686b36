/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/loss.h"

#include <math.h>

#include "base/status.h"

static size_t largest(const float *logit, size_t classes)
{
    size_t best = 0;
    for (size_t c = 1; c < classes; c++)
        if (logit[c] > logit[best]) best = c;
    return best;
}

double loss_softmax(float *delta, const float *logits, const uint8_t *label, size_t n,
                    size_t classes)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++, delta += classes, logits += classes) {
        REQUIRE(label[i] < classes);
        /* Moved so that the largest is 0: no exponential overflows. */
        float top = logits[largest(logits, classes)];
        float own = logits[label[i]] - top;
        float sum = 0;
        for (size_t c = 0; c < classes; c++) {
            delta[c] = expf(logits[c] - top);
            sum += delta[c];
        }
        for (size_t c = 0; c < classes; c++) delta[c] /= sum;
        delta[label[i]] -= 1;
        loss += log((double)sum) - (double)own;
    }
    return loss;
}

size_t loss_hits(const float *logits, const uint8_t *label, size_t n, size_t classes)
{
    size_t hits = 0;
    for (size_t i = 0; i < n; i++) hits += largest(logits + i * classes, classes) == label[i];
    return hits;
}
