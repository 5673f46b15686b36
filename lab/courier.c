/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/courier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/command.h"
#include "protocol/link.h"

#define ANY_PORT "tcp://127.0.0.1:*"
/* Sockets, timer and threads' signals of one connection, both ends: 18 with libzmq 4.3. */
#define FILES_PER_SITE 24
#define LOOK_MS 1

struct courier_site {
    struct link *link; /* its end; NULL: away */
    bool here, there;  /* its end is up; the coordinator's is */
};

struct courier {
    struct link *server;
    const struct manifest *manifest; /* borrowed */
    uint32_t n, quiet_ms;
    struct link_settings settings; /* of the sites */
    struct courier_site *site;     /* n */
    char trouble[200];
};

static bool files_suffice(uint32_t n)
{
    struct rlimit limit = {0};
    command_raise_files();
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
           limit.rlim_cur >= (rlim_t)n * FILES_PER_SITE + LINK_FILES_SPARE;
}

enum status courier_open(struct courier **out, const struct manifest *manifest,
                         const struct keyfile *coordinator, const struct schedule *schedule,
                         uint32_t quiet_ms)
{
    const uint32_t n = manifest->n;
    if (!files_suffice(n)) return STATUS_IO;
    AUTO(courier_free) struct courier *courier = calloc(1, sizeof *courier);
    if (courier == NULL) return STATUS_NOMEM;
    *courier = (struct courier){.manifest = manifest, .n = n, .quiet_ms = quiet_ms};
    courier->settings.message_bytes = schedule_message_bytes(schedule);
    courier->settings.queue = 16;
    courier->settings.retry_ms = 200;
    courier->site = calloc(n, sizeof *courier->site);
    struct link_key *key = calloc(n, sizeof *key);
    enum status status = courier->site == NULL || key == NULL ? STATUS_NOMEM : STATUS_OK;
    for (uint32_t v = 0; status == STATUS_OK && v < n; v++)
        memcpy(key[v].bytes, manifest->member[v].transport, LINK_KEY_BYTES);
    if (status == STATUS_OK)
        status = link_listen(&courier->server, ANY_PORT, coordinator->transport, n, key,
                             &courier->settings);
    free(key);
    TRY(status);
    *out = courier;
    courier = NULL;
    return STATUS_OK;
}

void courier_free(struct courier **courier)
{
    struct courier *w = *courier;
    if (w == NULL) return;
    for (uint32_t v = 0; w->site != NULL && v < w->n; v++) link_free(&w->site[v].link);
    link_free(&w->server);
    free(w->site);
    free(w);
    *courier = NULL;
}

const char *courier_trouble(const struct courier *courier)
{
    return courier == NULL ? "" : courier->trouble;
}

/* --- waiting -----------------------------------------------------------------------------------
 */

/* See what happened at one end. */
static void look(struct courier *courier, struct link *end, uint32_t v, struct view *message)
{
    struct link_event event = {0};
    const bool listens = end == courier->server;
    link_poll(end, LOOK_MS, &event);
    struct courier_site *site = &courier->site[listens ? event.peer : v];
    bool *up = listens ? &site->there : &site->here;
    if (event.kind == LINK_UP) *up = true;
    if (event.kind == LINK_DOWN) *up = false;
    if (event.kind == LINK_MESSAGE) *message = event.message;
}

/* How long to wait for a site, from now on and from each byte that moves. */
struct patience {
    uint64_t moved, end_ms;
};

/* False when it is over: what was hoped for is lost. */
static bool wait_on(struct patience *patience, struct courier *courier, uint32_t v,
                    const char *hoped)
{
    const uint64_t now = command_now_ms(),
                   moved = link_bytes_in(courier->server, v) + link_bytes_out(courier->server, v);
    if (patience->end_ms == 0 || moved != patience->moved)
        *patience = (struct patience){.moved = moved, .end_ms = now + courier->quiet_ms};
    if (now < patience->end_ms) return true;
    (void)snprintf(courier->trouble, sizeof courier->trouble,
                   "%s %s: nothing moved on its connection to 127.0.0.1:%u for %g s",
                   courier->manifest->member[v].name, hoped, link_port(courier->server),
                   courier->quiet_ms / 1e3);
    return false;
}

/* Until both ends of its connection are up: links connect again by themselves. */
static enum status meet(struct courier *courier, uint32_t v)
{
    struct courier_site *site = &courier->site[v];
    struct patience patience = {0};
    struct view none = {0};
    while (!site->here || !site->there) {
        if (!wait_on(&patience, courier, v, "did not get through")) return STATUS_IO;
        look(courier, courier->server, v, &none);
        look(courier, site->link, v, &none);
    }
    return STATUS_OK;
}

enum status courier_join(struct courier *courier, uint32_t v, const struct keyfile *site)
{
    char endpoint[32];
    if (courier == NULL || courier->site[v].link != NULL) return STATUS_OK;
    (void)snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", link_port(courier->server));
    TRY(link_connect(&courier->site[v].link, endpoint, site->transport,
                     courier->manifest->coordinator.transport, &courier->settings));
    return meet(courier, v);
}

enum status courier_leave(struct courier *courier, uint32_t v)
{
    struct patience patience = {0};
    struct view none = {0};
    if (courier == NULL || courier->site[v].link == NULL) return STATUS_OK;
    link_free(&courier->site[v].link);
    courier->site[v].here = false;
    while (courier->site[v].there) {
        if (!wait_on(&patience, courier, v, "did not get away")) return STATUS_IO;
        look(courier, courier->server, v, &none);
    }
    return STATUS_OK;
}

/* --- carrying ----------------------------------------------------------------------------------
 */

/* Until it has come, and its sender knows: a connection that began before that would bring it
 * again. */
static enum status carry(struct courier *courier, uint32_t v, struct link *from, struct link *to,
                         struct blob *letter, struct view *out)
{
    struct patience patience = {0};
    struct view came = {0}, none = {0};
    REQUIRE(courier->site[v].link != NULL);
    TRY(meet(courier, v));
    TRY(link_send(from, v, letter, NULL));
    while (came.n == 0 || !link_idle(from, v)) {
        if (!wait_on(&patience, courier, v, "lost a message")) return STATUS_IO;
        look(courier, from, v, &none);
        if (came.n == 0) look(courier, to, v, &came);
    }
    *out = came;
    return STATUS_OK;
}

enum status courier_down(struct courier *courier, uint32_t v, struct buffer *letter)
{
    AUTO(blob_free) struct blob *sent = NULL;
    struct view came = {0};
    if (courier == NULL || letter->n == 0) return letter->status;
    TRY(blob_of(&sent, letter));
    TRY(carry(courier, v, courier->server, courier->site[v].link, sent, &came));
    write_bytes(letter, came.at, came.n);
    return letter->status;
}

enum status courier_up(struct courier *courier, uint32_t v, struct blob *letter, struct view *out)
{
    if (courier != NULL)
        return carry(courier, v, courier->site[v].link, courier->server, letter, out);
    *out = blob_view(letter);
    return STATUS_OK;
}
