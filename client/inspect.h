/* SPDX-License-Identifier: Apache-2.0 */
/* What a site's operator should see of the records before a study. Part of the program: it prints.
 */
#ifndef CLIENT_INSPECT_H
#define CLIENT_INSPECT_H

#include "base/command.h"
#include "client/data/records.h"
#include "protocol/study.h"

/* The subcommand `data`. */
enum exit_code inspect_data(int argc, char **argv);

/* Where images are brought to a size and none was said: that of the study's model. Failures as of
 * study_read; records are untouched then. */
MUST_USE enum status inspect_size(struct records *records, const char *path,
                                  struct settings_error *why);

#endif
