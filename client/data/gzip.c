/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/gzip.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "base/secret.h"
#include "client/data/source.h"

#define PIECE_BYTES 65536

bool gzip_is(struct view in)
{
    return in.n >= 2 && in.at[0] == 0x1f && in.at[1] == 0x8b;
}

bool gzip_may_hold(struct view in, uint64_t n)
{
    return gzip_is(in) ? n / SOURCE_DEFLATE_MAX <= in.n : n <= in.n;
}

static void inflate_close(z_stream *z)
{
    (void)inflateEnd(z);
}

static bool inflate_open(z_stream *z, struct view in, int *result)
{
    /* next_in is not const in zlib's interface, but zlib never writes through it. */
    memcpy(&z->next_in, &in.at, sizeof z->next_in);
    if (in.n > UINT_MAX) return false;
    z->avail_in = (uInt)in.n;
    *result = inflateInit2(z, 16 + MAX_WBITS);
    return *result == Z_OK;
}

/* Inflate exactly n bytes; more than UINT_MAX goes in pieces. */
static bool inflate_some(z_stream *z, uint8_t *out, size_t n, int *result)
{
    while (n > 0 && *result == Z_OK) {
        uInt piece = n < (1u << 30) ? (uInt)n : 1u << 30;
        z->next_out = out;
        z->avail_out = piece;
        *result = inflate(z, Z_NO_FLUSH);
        out += piece - z->avail_out;
        n -= piece - z->avail_out;
    }
    return n == 0;
}

static bool gunzip(struct view in, uint8_t *head, size_t n_head, uint8_t *body, size_t n_body)
{
    AUTO(inflate_close) z_stream z = {0};
    int result = Z_OK;
    if (!inflate_open(&z, in, &result)) return false;
    if (!inflate_some(&z, head, n_head, &result)) return false;
    if (body == NULL) return true;
    if (!inflate_some(&z, body, n_body, &result)) return false;
    uint8_t past = 0;
    return (result == Z_STREAM_END || !inflate_some(&z, &past, 1, &result)) &&
           result == Z_STREAM_END && z.avail_in == 0;
}

bool gzip_unpack(struct view in, uint8_t *head, size_t n_head, uint8_t *body, size_t n_body)
{
    if (gzip_is(in)) return gunzip(in, head, n_head, body, n_body);
    if (in.n < n_head || (body != NULL && in.n - n_head != n_body)) return false;
    memcpy(head, in.at, n_head);
    if (body != NULL) memcpy(body, in.at + n_head, n_body);
    return true;
}

struct piece {
    uint8_t at[PIECE_BYTES];
};

static void piece_wipe(struct piece *piece)
{
    secret_wipe(piece->at, sizeof piece->at);
}

enum status gzip_inflate(struct buffer *out, struct view in, size_t limit, struct data_error *why)
{
    AUTO(inflate_close) z_stream z = {0};
    int result = Z_OK;
    if (!inflate_open(&z, in, &result))
        return source_refuse(why, STATUS_NOMEM, "no memory to unpack the file; free some");
    AUTO(piece_wipe) struct piece piece;
    size_t n = 0;
    while (result == Z_OK) {
        z.next_out = piece.at;
        z.avail_out = sizeof piece.at;
        result = inflate(&z, Z_NO_FLUSH);
        const size_t got = sizeof piece.at - z.avail_out;
        if (got > limit - n)
            return source_refuse(why, STATUS_RANGE,
                                 "the file unpacks to more than %zu bytes; split it", limit);
        write_bytes(out, piece.at, got);
        n += got;
    }
    if (out->status != STATUS_OK)
        return source_refuse(why, STATUS_NOMEM, "no memory to unpack the file; free some");
    if (result != Z_STREAM_END || z.avail_in != 0)
        return source_refuse(why, STATUS_FORMAT, "the gzip file is damaged; copy it again");
    return STATUS_OK;
}
