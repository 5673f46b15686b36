/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/vector.h"

void buffer_free(struct buffer *b)
{
    free(b->at);
    *b = (struct buffer){0};
}

void buffer_wipe(struct buffer *b)
{
    secret_wipe(b->at, b->room);
    buffer_free(b);
}

struct view buffer_view(const struct buffer *b)
{
    return (struct view){.at = b->at, .n = b->n};
}

/* Give the buffer this room; the old block is wiped because the buffer may hold secrets. */
static void move_to(struct buffer *b, size_t room)
{
    uint8_t *at = malloc(room);
    if (at == NULL) {
        b->status = STATUS_NOMEM;
        return;
    }
    if (b->n > 0) memcpy(at, b->at, b->n);
    secret_wipe(b->at, b->room);
    free(b->at);
    b->at = at;
    b->room = room;
}

void buffer_reserve(struct buffer *b, size_t n)
{
    if (b->status != STATUS_OK || b->room - b->n >= n) return;
    if (n > SIZE_MAX / 4 - b->n)
        b->status = STATUS_NOMEM;
    else
        move_to(b, b->n + n);
}

static uint8_t *extend(struct buffer *b, size_t n)
{
    if (b->status == STATUS_OK && b->room - b->n < n && n <= SIZE_MAX / 4 - b->n) {
        size_t room = b->room < 64 ? 64 : b->room * 2;
        move_to(b, room < b->n + n ? b->n + n : room);
    }
    if (b->room - b->n < n) b->status = STATUS_NOMEM;
    if (b->status != STATUS_OK) return NULL;
    uint8_t *start = b->at + b->n;
    b->n += n;
    return start;
}

static void write_little(struct buffer *b, uint64_t x, size_t n)
{
    uint8_t *at = extend(b, n);
    if (at == NULL) return;
    for (size_t i = 0; i < n; i++) at[i] = (uint8_t)(x >> (8 * i));
}

void write_u8(struct buffer *b, uint8_t x)
{
    write_little(b, x, 1);
}

void write_u16(struct buffer *b, uint16_t x)
{
    write_little(b, x, 2);
}

void write_u32(struct buffer *b, uint32_t x)
{
    write_little(b, x, 4);
}

void write_u64(struct buffer *b, uint64_t x)
{
    write_little(b, x, 8);
}

void write_f32(struct buffer *b, float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    write_u32(b, bits);
}

void write_f64(struct buffer *b, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    write_u64(b, bits);
}

void write_bytes(struct buffer *b, const void *in, size_t n)
{
    if (n == 0) return;
    uint8_t *at = extend(b, n);
    if (at != NULL) memcpy(at, in, n);
}

void write_blob(struct buffer *b, const void *in, size_t n)
{
    if (n > UINT32_MAX) {
        b->status = STATUS_NOMEM;
        return;
    }
    write_u32(b, (uint32_t)n);
    write_bytes(b, in, n);
}

void write_base64(struct buffer *b, const void *in, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *at = in;
    for (size_t i = 0; i < n && b->status == STATUS_OK; i += 3) {
        const size_t part = n - i < 3 ? n - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++) bits = bits << 8 | (k < part ? at[i + k] : 0u);
        char four[5] = "====";
        for (size_t k = 0; k <= part; k++) four[k] = digit[bits >> (18 - 6 * k) & 63];
        write_bytes(b, four, 4);
        secret_wipe(four, sizeof four);
    }
}

void write_bits(struct buffer *b, const struct bits *bits)
{
    REQUIRE(bits->n <= UINT32_MAX);
    write_u32(b, (uint32_t)bits->n);
    size_t n = (bits->n + 7) / 8;
    uint8_t *at = extend(b, n);
    if (at == NULL) return;
    for (size_t i = 0; i < n; i++) at[i] = (uint8_t)(bits->word[i / 8] >> (8 * (i % 8)));
}

size_t packed_bytes(size_t n, unsigned width)
{
    return n / 8 * width + (n % 8 * width + 7) / 8;
}

static void put_word(uint8_t *at, uint64_t word)
{
    word = htole64(word);
    memcpy(at, &word, sizeof word);
}

static uint64_t word_at(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return le64toh(word);
}

void write_packed(struct buffer *b, const uint32_t *in, size_t n, unsigned width)
{
    REQUIRE(width >= 1 && width <= 32);
    uint8_t *at = extend(b, packed_bytes(n, width));
    if (at == NULL) return;
    uint64_t held = 0;
    unsigned bits = 0;
    const uint32_t low = UINT32_MAX >> (32 - width);
    for (size_t i = 0; i < n; i++) {
        const uint64_t x = in[i] & low;
        held |= x << bits;
        bits += width;
        if (bits < 64) continue;
        put_word(at, held);
        at += sizeof held;
        bits -= 64;
        held = x >> (width - bits);
    }
    for (; bits > 0; bits -= bits < 8 ? bits : 8, held >>= 8) *at++ = (uint8_t)held;
}

struct reader reader_of(struct view in)
{
    return (struct reader){.at = in.at, .left = in.n};
}

struct view read_view(struct reader *r, size_t n)
{
    if (r->bad || n > r->left) {
        r->bad = true;
        return (struct view){0};
    }
    struct view v = {.at = r->at, .n = n};
    if (n > 0) r->at += n;
    r->left -= n;
    return v;
}

static uint64_t read_little(struct reader *r, size_t n)
{
    struct view v = read_view(r, n);
    uint64_t x = 0;
    for (size_t i = 0; i < v.n; i++) x |= (uint64_t)v.at[i] << (8 * i);
    return x;
}

uint8_t read_u8(struct reader *r)
{
    return (uint8_t)read_little(r, 1);
}

uint16_t read_u16(struct reader *r)
{
    return (uint16_t)read_little(r, 2);
}

uint32_t read_u32(struct reader *r)
{
    return (uint32_t)read_little(r, 4);
}

uint64_t read_u64(struct reader *r)
{
    return read_little(r, 8);
}

float read_f32(struct reader *r)
{
    uint32_t bits = read_u32(r);
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

double read_f64(struct reader *r)
{
    uint64_t bits = read_u64(r);
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

void read_bytes(struct reader *r, void *out, size_t n)
{
    struct view v = read_view(r, n);
    if (r->bad)
        memset(out, 0, n);
    else if (n > 0)
        memcpy(out, v.at, n);
}

struct view read_blob(struct reader *r, size_t limit)
{
    size_t n = read_u32(r);
    if (n > limit) r->bad = true;
    return read_view(r, n);
}

enum status read_bits(struct reader *r, struct bits *out, size_t n)
{
    if (read_u32(r) != n) r->bad = true;
    struct view v = read_view(r, n / 8 + (n % 8 != 0));
    if (!r->bad && n % 8 != 0 && v.at[v.n - 1] >> (n % 8) != 0) r->bad = true;
    if (r->bad) return STATUS_FORMAT;
    struct bits bits = {0};
    TRY(bits_new(&bits, n));
    for (size_t i = 0; i < v.n; i++) bits.word[i / 8] |= (uint64_t)v.at[i] << (8 * (i % 8));
    *out = bits;
    return STATUS_OK;
}

/* Eight elements are `width` bytes. Each is read with the word that begins in its first byte: it
 * and the bits before it are at most 39. So words end at most this many bytes behind the group. */
#define GROUP 8
#define GROUP_BEHIND 7

VECTOR_CLONES static void unpack(uint32_t *out, const uint8_t *at, size_t groups, unsigned width)
{
    const uint32_t low = UINT32_MAX >> (32 - width);
    for (; groups > 0; groups--, out += GROUP, at += width) {
#pragma GCC unroll 8
        for (unsigned j = 0; j < GROUP; j++)
            out[j] = (uint32_t)(word_at(at + j * width / 8) >> j * width % 8) & low;
    }
}

void read_packed(struct reader *r, uint32_t *out, size_t n, unsigned width)
{
    REQUIRE(width >= 1 && width <= 32);
    const struct view v = read_view(r, packed_bytes(n, width));
    if (r->bad) {
        memset(out, 0, n * sizeof *out);
        return;
    }
    size_t groups = v.n < GROUP_BEHIND ? 0 : (v.n - GROUP_BEHIND) / width;
    unpack(out, v.at, groups, width);
    uint64_t held = 0;
    unsigned bits = 0;
    size_t next = groups * width;
    const uint32_t low = UINT32_MAX >> (32 - width);
    for (size_t i = groups * GROUP; i < n; i++) {
        for (; bits < width; bits += 8) held |= (uint64_t)v.at[next++] << bits;
        out[i] = (uint32_t)held & low;
        held >>= width;
        bits -= width;
    }
    if (held != 0) r->bad = true;
}

enum status reader_end(const struct reader *r)
{
    return r->bad || r->left != 0 ? STATUS_FORMAT : STATUS_OK;
}
