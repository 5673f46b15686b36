/* SPDX-License-Identifier: Apache-2.0 */
#include "base/event.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>

#include "base/status.h"

void event_write(FILE *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    json_error_t error;
    json_t *event = json_vpack_ex(&error, 0, format, arguments);
    va_end(arguments);
    REQUIRE(event != NULL);
    (void)json_dumpf(event, out, JSON_COMPACT);
    (void)fputc('\n', out);
    (void)fflush(out);
    json_decref(event);
}

struct json_t *event_real(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

struct json_t *event_list(void)
{
    return json_array();
}

void event_list_add(struct json_t *list, unsigned x)
{
    REQUIRE(json_array_append_new(list, json_integer(x)) == 0);
}
