/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

const char *status_text(enum status status)
{
    static const char *const text[STATUS_COUNT] = {
#define STATUS_TEXT(name, what) [STATUS_##name] = what,
        STATUS_MAP(STATUS_TEXT)
#undef STATUS_TEXT
    };
    if ((unsigned)status >= STATUS_COUNT) return "unknown status";
    return text[status];
}

void status_bug(const char *file, int line, const char *what)
{
    fprintf(stderr, "bug: %s:%d: %s does not hold; please report this\n", file, line, what);
    abort();
}
