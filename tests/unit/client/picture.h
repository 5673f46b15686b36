/* SPDX-License-Identifier: Apache-2.0 */
/* Images as files, for tests: of height x width pixels, channels 1 or 3, one after the other. */
#ifndef TESTS_UNIT_CLIENT_PICTURE_H
#define TESTS_UNIT_CLIENT_PICTURE_H

#include "base/bytes.h"

struct buffer picture_png(const uint8_t *pixel, uint32_t channels, uint32_t height, uint32_t width);
struct buffer picture_jpeg(uint8_t *pixel, uint32_t channels, uint32_t height, uint32_t width);
/* All zeros, one bit each, however large. */
struct buffer picture_bomb(uint32_t height, uint32_t width);

#endif
