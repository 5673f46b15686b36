/* SPDX-License-Identifier: Apache-2.0 */
/* Six looks of the same images, as if each came from another device: for studies of feature shift
 * on one machine. They are synthetic and stand in for data sets that have real domains. */
#ifndef CLIENT_DATA_DOMAIN_H
#define CLIENT_DATA_DOMAIN_H

#include "client/data/data.h"
#include "crypto/rng.h"

/* In pixels p from 0 to 255, rounded and clamped to that range:
 *
 * identity   p.
 * invert     127.5 - (p - 127.5) / 2: dark for bright, with half the contrast.
 * transpose  rows for columns, which turns and mirrors; square images only.
 * noise      p + 72 x, x standard normal: 0.8 deviations of Fashion-MNIST's pixels.
 * blur       mean of the 5 x 5 pixels around, as far as they are inside.
 * edges      |right - left| + |below - above|, the border repeated. */
#define DOMAIN_MAP(X)                                                                              \
    X(IDENTITY, "identity")                                                                        \
    X(INVERT, "invert")                                                                            \
    X(TRANSPOSE, "transpose")                                                                      \
    X(NOISE, "noise")                                                                              \
    X(BLUR, "blur")                                                                                \
    X(EDGES, "edges")

enum domain {
#define DOMAIN_ENUM(name, text) DOMAIN_##name,
    DOMAIN_MAP(DOMAIN_ENUM)
#undef DOMAIN_ENUM
        DOMAIN_COUNT
};

/* Static storage. */
const char *domain_name(enum domain domain);

/* Change how all images look, channel by channel; labels stay. Only noise draws.
 * STATUS_RANGE  transpose, and the images are not square; data is untouched.
 * STATUS_NOMEM  data is untouched. */
MUST_USE enum status domain_apply(struct dataset *data, enum domain domain, struct rng *rng);

#endif
