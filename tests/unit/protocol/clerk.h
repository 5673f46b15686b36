/* SPDX-License-Identifier: Apache-2.0 */
/* Study files as texts, read or refused. */
#ifndef TESTS_UNIT_PROTOCOL_CLERK_H
#define TESTS_UNIT_PROTOCOL_CLERK_H

#include "protocol/study.h"

/* The shortest study of sites. */
#define CLERK_SITE "study: {id: s}\nprivacy:\n  unit: site\n"

/* What was said last. */
extern struct settings_error clerk_why;

struct view clerk_view(const char *text);
struct study clerk_read(const char *text);

/* Refused with this status at this line, for a reason that has these words; the study that it would
 * have been read into is untouched. */
void clerk_refuses(const char *text, enum status status, unsigned line, const char *words);

#endif
