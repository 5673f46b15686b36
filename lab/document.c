/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/document.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

void document_free(json_t **document)
{
    json_decref(*document);
    *document = NULL;
}

enum status document_parse(json_t **out, struct view bytes)
{
    if (bytes.n > DOCUMENT_BYTES_MAX) return STATUS_RANGE;
    json_error_t why;
    json_t *document = json_loadb((const char *)bytes.at, bytes.n, 0, &why);
    if (document == NULL)
        return json_error_code(&why) == json_error_out_of_memory ? STATUS_NOMEM : STATUS_FORMAT;
    if (!json_is_object(document)) {
        json_decref(document);
        return STATUS_FORMAT;
    }
    *out = document;
    return STATUS_OK;
}

enum status document_read(json_t **out, const char *path)
{
    AUTO(buffer_free) struct buffer text = {0};
    TRY(file_read(&text, path, DOCUMENT_BYTES_MAX));
    return document_parse(out, buffer_view(&text));
}

const json_t *document_at(const json_t *document, const char *path)
{
    while (document != NULL && *path != 0) {
        char name[64];
        const size_t n = strcspn(path, ".");
        if (n >= sizeof name) return NULL;
        memcpy(name, path, n);
        name[n] = 0;
        document = json_object_get(document, name);
        path += n + (path[n] == '.');
    }
    return document;
}

double document_number(const json_t *document, const char *path)
{
    const json_t *member = document_at(document, path);
    if (!json_is_number(member)) return (double)NAN;
    const double x = json_number_value(member);
    return isfinite(x) && fabs(x) <= DOCUMENT_NUMBER_MAX ? x : (double)NAN;
}

void document_digits(char out[static DOCUMENT_DIGITS_MAX], const json_t *document, const char *path)
{
    const double x = document_number(document, path);
    (void)snprintf(out, DOCUMENT_DIGITS_MAX, isnan(x) ? "not said" : "%.6g", x);
}

uint32_t document_count(const json_t *document, const char *path)
{
    const double x = document_number(document, path);
    return x >= 0 && x <= UINT32_MAX ? (uint32_t)x : 0;
}

bool document_true(const json_t *document, const char *path)
{
    return json_is_true(document_at(document, path));
}

void document_cut(char *out, size_t n, const char *text)
{
    size_t length = strnlen(text, n);
    if (length == n)
        for (length = n - 1; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80;) length--;
    memcpy(out, text, length);
    out[length] = 0;
}

void document_text(char *out, size_t n, const json_t *document, const char *path)
{
    const char *text = json_string_value(document_at(document, path));
    document_cut(out, n, text == NULL ? "" : text);
}

size_t document_length(const json_t *document, const char *path, size_t most)
{
    const size_t n = json_array_size(document_at(document, path));
    return n < most ? n : most;
}
