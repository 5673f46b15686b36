/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLIENT_RUN_H
#define CLIENT_RUN_H

#include <stdbool.h>

#include "base/command.h"
#include "client/site.h"

struct run_options {
    const char *connect;           /* the coordinator: tcp://host:port */
    const char *proxy;             /* as link_settings; NULL: none */
    const char *proxy_credentials; /* file; NULL: none */
    bool events;                   /* print one JSON object per step on standard output */
};

/* Take part in the study until it is over, a refusal ends it or a signal comes. Returns the
 * program's exit code. */
enum exit_code run_site(struct site *site, const struct run_options *options);

#endif
