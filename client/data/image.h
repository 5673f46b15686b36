/* SPDX-License-Identifier: Apache-2.0 */
/* One picture, and how it becomes a record of the study's size. */
#ifndef CLIENT_DATA_IMAGE_H
#define CLIENT_DATA_IMAGE_H

#include "client/data/source.h"

/* A decoder refuses more before it allocates anything of that size. */
#define IMAGE_SIDE_MAX 16384u
#define IMAGE_PIXELS_MAX (UINT64_C(1) << 26)
#define IMAGE_FILE_MAX (UINT64_C(1) << 28)

struct image {
    uint32_t channels; /* 1 or 3, one pixel after the other */
    uint32_t height, width;
    uint8_t *pixel; /* owned */
};
void image_free(struct image *image);

/* Allocate for a size that a file claims.
 * STATUS_FORMAT  a side is 0. STATUS_RANGE  larger than the limits. STATUS_NOMEM. out is untouched
 *                then. */
MUST_USE enum status image_new(struct image *out, uint32_t channels, uint32_t height,
                               uint32_t width, struct data_error *why);

/* Decode a PNG: 16 bits become 8, palettes colours, and what is transparent lies on black.
 * STATUS_FORMAT  damaged or no PNG. STATUS_RANGE  too large. STATUS_NOMEM. out is untouched then.
 */
MUST_USE enum status png_decode(struct image *out, struct view bytes, struct data_error *why);

/* Encode a picture within the limits above as a PNG of 8 bits, grey or colour, appended to out.
 * STATUS_RANGE  another number of channels, or a side outside the limits. STATUS_NOMEM. out is as
 *               before then. */
MUST_USE enum status png_encode(struct buffer *out, const struct image *image);

/* Decode a JPEG, grey or colour; one that is cut off or damaged is refused, not patched.
 * Failures as of png_decode. */
MUST_USE enum status jpeg_decode(struct image *out, struct view bytes, struct data_error *why);

/* Either, by its first bytes. */
MUST_USE enum status image_decode(struct image *out, struct view bytes, struct data_error *why);

/* Make a record of it, one channel after the other: each pixel is the mean of the area of the image
 * that it covers, exact and rounded to nearest. Sides are stretched each by itself. Grey of colour
 * is 0.299 R + 0.587 G + 0.114 B; colour of grey is three times the same. channels is 1 or 3. */
void image_fit(uint8_t *out, uint32_t channels, uint32_t height, uint32_t width,
               const struct image *image);

#endif
