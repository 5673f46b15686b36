/* SPDX-License-Identifier: Apache-2.0 */
/* NumPy's format 1.0 and 2.0 for integers in C order. The keys may come in any order, each once. */
#include "client/data/npy.h"

#include <string.h>

#define DIMENSION_MAX (UINT64_C(1) << 40)

uint32_t npy_length_bytes(const uint8_t magic[static NPY_MAGIC_BYTES])
{
    if (memcmp(magic, "\x93NUMPY", 6) != 0 || magic[7] != 0) return 0;
    return magic[6] == 1 ? 2 : magic[6] == 2 ? 4 : 0;
}

/* The next character; 0 at the end and after anything bad, when reading does not move on. */
static uint8_t peek(const struct reader *r)
{
    return r->bad || r->left == 0 ? 0 : *r->at;
}

static void skip_spaces(struct reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\n') (void)read_u8(r);
}

/* Consume a token if it comes next. */
static bool take(struct reader *r, const char *token)
{
    skip_spaces(r);
    size_t n = strlen(token);
    if (r->bad || r->left < n || memcmp(r->at, token, n) != 0) return false;
    (void)read_view(r, n);
    return true;
}

/* Consume a token that must come next. */
static void want(struct reader *r, const char *token)
{
    if (!take(r, token)) r->bad = true;
}

static void read_type(struct npy *npy, struct reader *r)
{
    want(r, "'");
    uint8_t order = read_u8(r);
    uint8_t kind = read_u8(r);
    uint8_t size = read_u8(r);
    want(r, "'");
    bool known = (kind == 'u' || kind == 'i') &&
                 (((order == '|' || order == '<') && size == '1') ||
                  (order == '<' && (size == '2' || size == '4' || size == '8')));
    if (!known) r->bad = true;
    npy->item_bytes = (uint32_t)size - '0';
    npy->is_signed = kind == 'i';
}

static uint64_t read_number(struct reader *r)
{
    skip_spaces(r);
    uint64_t number = 0;
    size_t digits = 0;
    for (; peek(r) >= '0' && peek(r) <= '9' && number < DIMENSION_MAX; digits++)
        number = number * 10 + read_u8(r) - '0';
    if (digits == 0 || number >= DIMENSION_MAX) r->bad = true;
    return number;
}

static void read_shape(struct npy *npy, struct reader *r)
{
    want(r, "(");
    npy->n_dims = 0;
    while (!r->bad && !take(r, ")")) {
        if (npy->n_dims == NPY_DIMENSIONS_MAX) {
            r->bad = true;
            return;
        }
        npy->dim[npy->n_dims++] = read_number(r);
        if (!take(r, ",")) {
            want(r, ")");
            return;
        }
    }
}

enum status npy_parse(struct npy *out, struct view text)
{
    struct npy npy = {0};
    struct reader r = reader_of(text);
    unsigned seen_type = 0;
    unsigned seen_order = 0;
    unsigned seen_shape = 0;
    want(&r, "{");
    while (!r.bad && !take(&r, "}")) {
        if (take(&r, "'descr':")) {
            seen_type++;
            read_type(&npy, &r);
        } else if (take(&r, "'fortran_order':")) {
            seen_order++;
            want(&r, "False");
        } else {
            want(&r, "'shape':");
            seen_shape++;
            read_shape(&npy, &r);
        }
        if (!take(&r, ",") && !r.bad) {
            want(&r, "}");
            break;
        }
    }
    skip_spaces(&r);
    if (seen_type != 1 || seen_order != 1 || seen_shape != 1) return STATUS_FORMAT;
    TRY(reader_end(&r));
    *out = npy;
    return STATUS_OK;
}
