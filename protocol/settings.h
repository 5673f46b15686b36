/* SPDX-License-Identifier: Apache-2.0 */
/* Read a YAML file of sections and keys into a struct, by a table. Strict: an unknown or repeated
 * key, an alias, a second document and a number that is not plainly one are refused with their
 * line. A key that is absent leaves its member alone, so that the caller's defaults stay. */
#ifndef PROTOCOL_SETTINGS_H
#define PROTOCOL_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define SETTINGS_FILE_BYTES_MAX 65536
#define SETTINGS_ROWS_MAX 192
#define SETTINGS_TEXT_MAX 255

enum setting_kind {
    SETTING_UINT,   /* uint32_t, decimal digits */
    SETTING_REAL,   /* double, decimal or .inf */
    SETTING_BOOL,   /* bool, true or false */
    SETTING_CHOICE, /* an enum, by the names in choice */
    SETTING_TEXT,   /* char[most + 1], printable */
    SETTING_UINTS,  /* up to list_max uint32_t, their number at count_offset */
    SETTING_TEXTS,  /* up to list_max char[most + 1], their number at count_offset */
    SETTING_SET,    /* uint32_t: bit i for each name choice[i] of a list of at most list_max */
};

/* One key. Keys of a section stand together; section is NULL for a key of the whole file. */
struct setting {
    const char *section, *key;
    enum setting_kind kind;
    size_t offset;             /* of the member */
    double least, most;        /* range of a number; length range of a text */
    const char *const *choice; /* names in the order of the enum, then NULL */
    size_t count_offset;
    uint32_t list_max;
};

/* What was refused and why. section and key are from the table, or NULL; line is 0 when the file
 * does not have one for it. */
struct settings_error {
    unsigned line;
    const char *section, *key;
    char text[SETTINGS_TEXT_MAX + 1];
};

/* Fill the members of out that text has keys for.
 *
 * STATUS_FORMAT  not YAML of this table; why says where.
 * STATUS_RANGE   a value outside its range; why says which.
 * STATUS_NOMEM   On failure members of out may be filled in part. */
MUST_USE enum status settings_parse(void *out, const struct setting *row, size_t n,
                                    struct view text, struct settings_error *why);

/* Write the members of in that differ from those of other as a file that settings_parse reads back,
 * a section a line. Both have what the rows' ranges allow where they differ; out keeps failures. */
void settings_write(struct buffer *out, const void *in, const void *other,
                    const struct setting *row, size_t n);

/* The line of a key in text, or of its section when the key is absent, or 0. */
unsigned settings_line(struct view text, const char *section, const char *key);

/* Set why to a key and a sentence in printf style, and return STATUS_RANGE. */
MUST_USE enum status settings_refuse(struct settings_error *why, const char *section,
                                     const char *key, const char *sentence, ...)
    __attribute__((format(printf, 4, 5)));

/* The exact bytes of a file.
 *
 * STATUS_IO     it cannot be read.
 * STATUS_RANGE  it is larger than SETTINGS_FILE_BYTES_MAX.
 * STATUS_NOMEM */
MUST_USE enum status settings_file(struct buffer *out, const char *path,
                                   struct settings_error *why);

#endif
