/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that somebody else wrote: read with a limit, and asked without trust. What is missing, of
 * another type or beyond all reason is NAN, false, NULL or an empty text. */
#ifndef LAB_DOCUMENT_H
#define LAB_DOCUMENT_H

#include <jansson.h>

#include "base/bytes.h"

#define DOCUMENT_BYTES_MAX ((size_t)8 << 20)
#define DOCUMENT_NUMBER_MAX 1e15

void document_free(json_t **document);

/* Read an object.
 * STATUS_IO      no such file. STATUS_RANGE  larger than DOCUMENT_BYTES_MAX.
 * STATUS_FORMAT  not one JSON object. STATUS_NOMEM. out is untouched on failure. */
MUST_USE enum status document_read(json_t **out, const char *path);
/* The same for bytes: STATUS_RANGE, STATUS_FORMAT. */
MUST_USE enum status document_parse(json_t **out, struct view bytes);

/* A member; names of members in members are joined by dots. Borrowed. */
const json_t *document_at(const json_t *document, const char *path);
double document_number(const json_t *document, const char *path);
/* A number in words: six digits, or "not said". */
#define DOCUMENT_DIGITS_MAX 32
void document_digits(char out[static DOCUMENT_DIGITS_MAX], const json_t *document,
                     const char *path);
/* A whole number from 0 to UINT32_MAX, else 0. */
uint32_t document_count(const json_t *document, const char *path);
bool document_true(const json_t *document, const char *path);
/* At most n - 1 bytes, and no half characters. */
void document_text(char *out, size_t n, const json_t *document, const char *path);
/* Members of a list, at most `most` of them; 0 when it is no list. */
size_t document_length(const json_t *document, const char *path, size_t most);

/* Copy text into out[n]: cut at a whole character of UTF-8. */
void document_cut(char *out, size_t n, const char *text);

#endif
