/* SPDX-License-Identifier: Apache-2.0 */
/* One line of JSON per event, for programs that watch ours (--events). Events hold facts of the
 * protocol, never anything that was computed from a site's data; a report that does (data check)
 * is asked for by the site's operator and says so. */
#ifndef BASE_EVENT_H
#define BASE_EVENT_H

#include <stdio.h>

/* Write one object and a newline, and flush. The format and arguments are those of jansson's
 * json_pack: event_write(out, "{s:s, s:i}", "event", "shared", "round", 3). A failed write is
 * ignored: nobody listens any more. */
void event_write(FILE *out, const char *format, ...);

/* A number for "o" in the format; null when it is infinite or not a number, which JSON lacks. */
struct json_t *event_real(double x);
/* A list of whole numbers for "o". */
struct json_t *event_list(void);
void event_list_add(struct json_t *list, unsigned x);
/* Put an object of this format at the list's end. */
void event_list_put(struct json_t *list, const char *format, ...);

#endif
