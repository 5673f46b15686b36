/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLIENT_MODEL_EXPONENTIAL_H
#define CLIENT_MODEL_EXPONENTIAL_H

#include <stdint.h>
#include <string.h>

/* e^x, off by a few units in the last place; x is held within +-87. Range reduction and polynomial
 * of Cephes' expf, without a call or a branch, so that loops over it become vectors. */
static inline float exponential(float x)
{
    x = x < -87 ? -87 : x;
    x = x > 87 ? 87 : x;
    const float shifted = x * 1.44269504f + 0x1.8p23f; /* the whole number is in its low bits */
    const float whole = shifted - 0x1.8p23f;
    const float r = x - whole * 0.693359375f + whole * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    uint32_t bits = 0;
    float power = 0;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + 0x3f800000u;
    memcpy(&power, &bits, sizeof power);
    return (p * r * r + r + 1) * power;
}

#endif
