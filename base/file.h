/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: read with a limit, written so that a crash leaves the old one or the new one. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/bytes.h"

/* Read a regular file of at most limit bytes, appended to out.
 * STATUS_IO     cannot be read, or is no regular file.
 * STATUS_RANGE  larger than limit. STATUS_NOMEM. out is as before on failure. */
MUST_USE enum status file_read(struct buffer *out, const char *path, size_t limit);

/* Replace path by the bytes: written beside it, fsynced, renamed, the folder fsynced.
 * mode  of the new file, e.g. 0600.
 * STATUS_IO     nothing changed. STATUS_RANGE  path is too long. */
MUST_USE enum status file_write(const char *path, struct view bytes, unsigned mode);

/* The same for bytes in several parts, one after the other. */
MUST_USE enum status file_write_parts(const char *path, size_t n, const struct view *part,
                                      unsigned mode);

/* dir, "/", name in out[n]. STATUS_RANGE when it does not fit. */
MUST_USE enum status file_path(char *out, size_t n, const char *dir, const char *name);
#define FILE_PATH_MAX 1024

#endif
