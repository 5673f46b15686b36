/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/nifti.h"

#include <math.h>
#include <string.h>

#include "client/data/gzip.h"

/* Offsets in the header; all of it is in the byte order in which its first field says 348. */
#define AT_DIM 40
#define AT_DATATYPE 70
#define AT_BITPIX 72
#define AT_OFFSET 108
#define AT_SLOPE 112
#define AT_INTER 116
#define AT_MAGIC 344
#define OFFSET_MAX (1 << 24) /* bytes of extensions before the planes */

enum { UINT8 = 2, INT16 = 4, INT32 = 8, FLOAT32 = 16, FLOAT64 = 64, UINT16 = 512 };

void nifti_free(struct nifti *nifti)
{
    buffer_wipe(&nifti->bytes);
    *nifti = (struct nifti){0};
}

/* An unsigned number of n bytes. */
static uint64_t number(const uint8_t *at, uint32_t n, bool swapped)
{
    uint64_t x = 0;
    for (uint32_t i = 0; i < n; i++) x = x << 8 | at[swapped ? i : n - 1 - i];
    return x;
}

static double real32(const uint8_t *at, bool swapped)
{
    const uint32_t bits = (uint32_t)number(at, 4, swapped);
    float x = 0;
    memcpy(&x, &bits, sizeof x);
    return (double)x;
}

static uint32_t type_bytes(int type)
{
    switch (type) {
    case UINT8:
        return 1;
    case INT16:
    case UINT16:
        return 2;
    case INT32:
    case FLOAT32:
        return 4;
    case FLOAT64:
        return 8;
    default:
        return 0;
    }
}

/* Sizes and type; false when the header contradicts itself. */
static bool read_header(struct nifti *out, uint32_t *offset,
                        const uint8_t header[static NIFTI_HEADER_BYTES])
{
    out->swapped = number(header, 4, false) != NIFTI_HEADER_BYTES;
    const bool s = out->swapped;
    if (number(header, 4, s) != NIFTI_HEADER_BYTES) return false;
    if (memcmp(header + AT_MAGIC, "n+1", 4) != 0) return false;
    const uint64_t dims = number(header + AT_DIM, 2, s);
    if (dims < 2 || dims > 7) return false;
    out->planes = 1;
    for (uint64_t d = 1; d <= dims; d++) {
        const uint64_t n = number(header + AT_DIM + 2 * d, 2, s);
        if (n == 0 || n > INT16_MAX) return false;
        if (d == 1) out->width = (uint32_t)n;
        if (d == 2) out->height = (uint32_t)n;
        if (d > 2 && __builtin_mul_overflow(out->planes, n, &out->planes)) return false;
    }
    out->type = (int)number(header + AT_DATATYPE, 2, s);
    out->item_bytes = type_bytes(out->type);
    if (out->item_bytes == 0 || number(header + AT_BITPIX, 2, s) != 8 * out->item_bytes)
        return false;
    const double from = real32(header + AT_OFFSET, s);
    if (!(from >= NIFTI_HEADER_BYTES && from <= OFFSET_MAX)) return false;
    *offset = (uint32_t)from;
    out->slope = real32(header + AT_SLOPE, s);
    out->inter = real32(header + AT_INTER, s);
    if (!isfinite(out->slope) || !isfinite(out->inter)) return false;
    /* The format's way to say that values are as they are stored. */
    if (out->slope == 0) out->slope = 1, out->inter = 0;
    return true;
}

enum status nifti_parse(struct nifti *out, struct view in, struct data_error *why)
{
    AUTO(nifti_free) struct nifti nifti = {0};
    uint8_t header[NIFTI_HEADER_BYTES] = {0};
    uint32_t offset = 0;
    if (!gzip_unpack(in, header, sizeof header, NULL, 0) || !read_header(&nifti, &offset, header))
        return source_refuse(why, STATUS_FORMAT,
                             "no NIfTI-1 file of uint8, int16, uint16, int32, float32 or float64 "
                             "with its planes inside; convert it to .nii");
    uint64_t n = nifti.item_bytes;
    if ((uint64_t)nifti.height * nifti.width > IMAGE_PIXELS_MAX ||
        __builtin_mul_overflow(n, (uint64_t)nifti.height * nifti.width, &n) ||
        __builtin_mul_overflow(n, nifti.planes, &n) || n > NIFTI_BYTES_MAX)
        return source_refuse(why, STATUS_RANGE, "the volume is larger than 4 GiB; cut it");
    const uint64_t all = n + offset;
    if (!gzip_may_hold(in, all))
        return source_refuse(why, STATUS_FORMAT,
                             "the file claims more planes than it can hold; copy it again");
    buffer_reserve(&nifti.bytes, (size_t)all);
    if (nifti.bytes.status != STATUS_OK)
        return source_refuse(why, STATUS_NOMEM, "no memory for a volume; free some");
    uint8_t none = 0;
    if (!gzip_unpack(in, &none, 0, nifti.bytes.at, (size_t)all))
        return source_refuse(why, STATUS_FORMAT,
                             "the file is damaged or not as long as its header says; copy it "
                             "again");
    nifti.bytes.n = (size_t)n;
    memmove(nifti.bytes.at, nifti.bytes.at + offset, (size_t)n);
    *out = nifti;
    nifti = (struct nifti){0};
    return STATUS_OK;
}

static double value(const struct nifti *nifti, const uint8_t *at)
{
    const uint64_t bits = number(at, nifti->item_bytes, nifti->swapped);
    double x = (double)bits;
    switch (nifti->type) {
    case INT16:
        x = (int16_t)bits;
        break;
    case INT32:
        x = (int32_t)bits;
        break;
    case FLOAT32:
        x = real32(at, nifti->swapped);
        break;
    case FLOAT64:
        memcpy(&x, &bits, sizeof x);
        break;
    default:
        break;
    }
    return nifti->slope * x + nifti->inter;
}

enum status nifti_plane(struct image *out, const struct nifti *nifti, uint64_t plane,
                        const struct data_window *window, struct dataset *counts,
                        struct data_error *why)
{
    REQUIRE(plane < nifti->planes && window->low < window->high);
    TRY(image_new(out, 1, nifti->height, nifti->width, why));
    const size_t n = (size_t)nifti->height * nifti->width;
    const uint8_t *at = nifti->bytes.at + plane * n * nifti->item_bytes;
    for (size_t i = 0; i < n; i++, at += nifti->item_bytes) {
        const double x = value(nifti, at);
        const double place = (x - window->low) / (window->high - window->low);
        counts->missing += isnan(place) ? 1 : 0;
        counts->clamped += place < 0 || place > 1 ? 1 : 0;
        out->pixel[i] = isnan(place) ? 0 : (uint8_t)round(fmin(fmax(place, 0), 1) * UINT8_MAX);
    }
    return STATUS_OK;
}
