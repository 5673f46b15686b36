/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLIENT_MODEL_EXPONENTIAL_H
#define CLIENT_MODEL_EXPONENTIAL_H

#include <stdint.h>
#include <string.h>

/* e^x, off by a few units in the last place; x is held within +-EXPONENTIAL_MOST. Range reduction
 * and polynomial of Cephes' expf, without a call or a branch, so that loops over it become vectors:
 * gcc makes branches of comparisons of floats, but not of their bits. */
#define EXPONENTIAL_MOST 87.0f
static inline float exponential(float x)
{
    const float most = EXPONENTIAL_MOST;
    uint32_t bits = 0, bound = 0;
    memcpy(&bits, &x, sizeof bits);
    memcpy(&bound, &most, sizeof bound);
    const uint32_t size = bits & 0x7fffffffu;
    bits = (bits & 0x80000000u) | (size > bound ? bound : size);
    memcpy(&x, &bits, sizeof bits);

    const float shifted = x * 1.44269504f + 0x1.8p23f; /* the whole number is in its low bits */
    const float whole = shifted - 0x1.8p23f;
    const float r = x - whole * 0.693359375f + whole * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    float power = 0;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + 0x3f800000u;
    memcpy(&power, &bits, sizeof power);
    return (p * r * r + r + 1) * power;
}

#endif
