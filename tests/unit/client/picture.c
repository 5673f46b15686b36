/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/picture.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <jpeglib.h> /* needs stdio.h */

struct buffer picture_png(const uint8_t *pixel, uint32_t channels, uint32_t height, uint32_t width)
{
    png_image png;
    memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
    png.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    png.height = height;
    png.width = width;
    png_alloc_size_t n = PNG_IMAGE_PNG_SIZE_MAX(png);
    struct buffer out = {0};
    buffer_reserve(&out, n);
    REQUIRE(png_image_write_to_memory(&png, out.at, &n, 0, pixel, 0, NULL) != 0);
    out.n = n;
    return out;
}

struct buffer picture_jpeg(uint8_t *pixel, uint32_t channels, uint32_t height, uint32_t width)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr error;
    unsigned char *at = NULL;
    unsigned long n = 0;
    jpeg.err = jpeg_std_error(&error);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &at, &n);
    jpeg.image_height = height;
    jpeg.image_width = width;
    jpeg.input_components = (int)channels;
    jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    for (uint32_t y = 0; y < height; y++) {
        JSAMPROW row = pixel + (size_t)y * width * channels;
        (void)jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    struct buffer out = {0};
    write_bytes(&out, at, n);
    free(at);
    return out;
}

static void write_be32(struct buffer *b, uint32_t x)
{
    for (unsigned shift = 32; shift > 0; shift -= 8) write_u8(b, (uint8_t)(x >> (shift - 8)));
}

static void write_chunk(struct buffer *b, const char *kind, const uint8_t *in, uint32_t n)
{
    write_be32(b, n);
    const size_t from = b->n;
    write_bytes(b, kind, 4);
    write_bytes(b, in, n);
    write_be32(b, (uint32_t)crc32(0, b->at + from, (uInt)(b->n - from)));
}

struct buffer picture_bomb(uint32_t height, uint32_t width)
{
    struct buffer out = {0}, head = {0};
    write_bytes(&out, "\x89PNG\r\n\x1a\n", 8);
    write_be32(&head, width);
    write_be32(&head, height);
    write_bytes(&head, "\x01\0\0\0\0", 5);
    write_chunk(&out, "IHDR", head.at, (uint32_t)head.n);
    write_chunk(&out, "IDAT", (const uint8_t *)"x\x9c\x03\0\0\0\0\x01", 8);
    write_chunk(&out, "IEND", (const uint8_t *)"", 0);
    buffer_free(&head);
    return out;
}
