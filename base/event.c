/* SPDX-License-Identifier: Apache-2.0 */
#include "base/event.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>

#include "base/status.h"

static json_t *pack(const char *format, va_list arguments)
{
    json_error_t error;
    json_t *made = json_vpack_ex(&error, 0, format, arguments);
    REQUIRE(made != NULL);
    return made;
}

void event_write(FILE *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    json_t *event = pack(format, arguments);
    va_end(arguments);
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

void event_list_put(struct json_t *list, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    json_t *made = pack(format, arguments);
    va_end(arguments);
    REQUIRE(json_array_append_new(list, made) == 0);
}
