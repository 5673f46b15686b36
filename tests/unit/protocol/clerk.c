/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/protocol/clerk.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/check.h"

struct settings_error clerk_why;

struct view clerk_view(const char *text)
{
    return (struct view){(const uint8_t *)text, strlen(text)};
}

struct study clerk_read(const char *text)
{
    struct study study = {0};
    CHECK_OK(study_parse(&study, clerk_view(text), &clerk_why));
    return study;
}

void clerk_refuses(const char *text, enum status status, unsigned line, const char *words)
{
    struct study study, before;
    memset(&study, 0x5a, sizeof study);
    memcpy(&before, &study, sizeof study);
    CHECK_STATUS(status, study_parse(&study, clerk_view(text), &clerk_why));
    CHECK_NUMBER(line, clerk_why.line);
    CHECK(strstr(clerk_why.text, words) != NULL);
    if (strstr(clerk_why.text, words) == NULL) printf("  %s\n  said: %s\n", text, clerk_why.text);
    CHECK_BYTES(&before, &study, sizeof study);
}
