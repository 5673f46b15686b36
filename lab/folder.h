/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary folders: made for this user alone, removed with all that is in them. */
#ifndef LAB_FOLDER_H
#define LAB_FOLDER_H

#include "base/file.h"

/* Make PARENT/NAME-XXXXXX with mode 0700; its path is put into out.
 * STATUS_RANGE  the path is too long. STATUS_IO. out is untouched on failure. */
MUST_USE enum status folder_new(char out[static FILE_PATH_MAX], const char *parent,
                                const char *name);

/* Where the system's temporary files go: TMPDIR, or /tmp. */
const char *folder_parent(void);

/* Remove a folder and everything in it; what cannot be removed stays. */
void folder_remove(const char *path);

#endif
