/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLIENT_RUN_H
#define CLIENT_RUN_H

#include <stdbool.h>

#include "base/command.h"
#include "client/site.h"

/* Take part in the study until it is over, a refusal ends it or a signal comes.
 * events: print one JSON object per step on standard output. Returns the program's exit code. */
enum exit_code run_site(struct site *site, const char *endpoint, bool events);

#endif
