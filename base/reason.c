/* SPDX-License-Identifier: Apache-2.0 */
#include "base/reason.h"

#include <stddef.h>

static const struct row {
    enum reason reason;
    enum status status;
    const char *id, *what, *fix;
} rows[] = {
#define REASON_ROW(name, number, status, id, what, fix) {REASON_##name, status, id, what, fix},
    REASON_MAP(REASON_ROW)
#undef REASON_ROW
};

static const struct row *row_of(enum reason reason)
{
    static const struct row unknown = {
        REASON_NONE,
        STATUS_FORMAT,
        "E-UNKNOWN",
        "an unknown reason was given",
        "check that both sides run the same version",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].reason == reason) return &rows[i];
    return &unknown;
}

const char *reason_id(enum reason reason)
{
    return row_of(reason)->id;
}

const char *reason_what(enum reason reason)
{
    return row_of(reason)->what;
}

const char *reason_fix(enum reason reason)
{
    return row_of(reason)->fix;
}

enum status reason_status(enum reason reason)
{
    return row_of(reason)->status;
}
