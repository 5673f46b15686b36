/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded little-endian reader and growing writer; the only code that touches wire bytes.
 * Both keep the first failure and ignore what follows, so that a parser reads like its schema and
 * asks once, at the end. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/status.h"

/* A borrowed run of bytes, valid until its owner changes or is freed. */
struct view {
    const uint8_t *at;
    size_t n;
};

/* A growing buffer; owned. status is sticky (STATUS_NOMEM). */
struct buffer {
    uint8_t *at;
    size_t n;
    size_t room;
    enum status status;
};

void buffer_free(struct buffer *b);
/* Wipe the whole room, then free: for buffers that held secrets. Growth wipes what it leaves. */
void buffer_wipe(struct buffer *b);
struct view buffer_view(const struct buffer *b);
/* Take the room for n more bytes at once, so that a large buffer is not grown by doubling. */
void buffer_reserve(struct buffer *b, size_t n);

void write_u8(struct buffer *b, uint8_t x);
void write_u16(struct buffer *b, uint16_t x);
void write_u32(struct buffer *b, uint32_t x);
void write_u64(struct buffer *b, uint64_t x);
/* IEEE 754 bits, little endian. */
void write_f32(struct buffer *b, float x);
void write_f64(struct buffer *b, double x);
void write_bytes(struct buffer *b, const void *in, size_t n);
/* u32 length, then the bytes. */
void write_blob(struct buffer *b, const void *in, size_t n);
/* RFC 4648, section 4, with padding: text for JSON, HTML and HTTP. */
void write_base64(struct buffer *b, const void *in, size_t n);
/* u32 bit count, then ceil(n / 8) bytes, lowest bit first, unused bits zero. */
void write_bits(struct buffer *b, const struct bits *bits);
/* The low `width` bits (1..32) of n elements, packed lowest bit first, last byte zero-padded. */
void write_packed(struct buffer *b, const uint32_t *in, size_t n, unsigned width);
/* Bytes that write_packed makes. */
size_t packed_bytes(size_t n, unsigned width);

/* Reads past the end give zeros and set bad. */
struct reader {
    const uint8_t *at;
    size_t left;
    bool bad;
};

struct reader reader_of(struct view in);
uint8_t read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
float read_f32(struct reader *r);
double read_f64(struct reader *r);
void read_bytes(struct reader *r, void *out, size_t n);
/* Borrow n bytes from the input; empty and bad when they are not there. */
struct view read_view(struct reader *r, size_t n);
/* A blob of at most `limit` bytes; longer is bad. */
struct view read_blob(struct reader *r, size_t limit);
/* A bit set of exactly n bits with clean padding; out is allocated. Anything else is bad.
 * STATUS_NOMEM when memory is out; STATUS_FORMAT when bad. */
MUST_USE enum status read_bits(struct reader *r, struct bits *out, size_t n);
/* n elements of `width` bits into out; non-zero padding is bad. */
void read_packed(struct reader *r, uint32_t *out, size_t n, unsigned width);
/* STATUS_FORMAT when anything was bad or bytes are left over. */
MUST_USE enum status reader_end(const struct reader *r);

#endif
