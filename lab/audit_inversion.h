/* SPDX-License-Identifier: Apache-2.0 */
/* The words, tables and pictures of veilsum-lab audit inversion. Private to audit_inversion*.c. */
#ifndef LAB_AUDIT_INVERSION_H
#define LAB_AUDIT_INVERSION_H

#include "lab/inversion.h"

/* Write FOLDER/inversion-STAGE.png and FOLDER/inversion.csv (folder NULL: no files), print the
 * table (unless json), then the verdict. */
MUST_USE enum exit_code audit_inversion_report(const struct inversion *inversion, bool json,
                                               const char *folder);

/* The kept records of a stage above the pictures that were made of them, enlarged if small, as a
 * PNG. STATUS_RANGE  nothing was kept, or more than a PNG can hold. STATUS_NOMEM. */
MUST_USE enum status audit_inversion_picture(struct buffer *out, const struct inversion *inversion,
                                             unsigned stage);

#endif
