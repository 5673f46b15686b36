/* SPDX-License-Identifier: Apache-2.0 */
/* A site whose thread is interrupted between reading libzmq's events and its frames: meanwhile the
 * handshake ends and the coordinator's greeting comes, so that the frame is read before the event.
 */
#include <errno.h>
#include <zmq.h>

#include "tests/lib/check.h"
#include "tests/unit/protocol/ends.h"

int __real_zmq_msg_recv(zmq_msg_t *msg, void *socket, int flags);
int __wrap_zmq_msg_recv(zmq_msg_t *msg, void *socket, int flags);

static struct link *server;
static unsigned naps; /* of the site still to come */
static bool inside;

/* The site has just found no more events: now the others get a long turn. */
int __wrap_zmq_msg_recv(zmq_msg_t *msg, void *socket, int flags)
{
    const int n = __real_zmq_msg_recv(msg, socket, flags);
    const int why = errno;
    int type = 0;
    size_t size = sizeof type;
    if (n < 0 && naps > 0 && !inside && zmq_getsockopt(socket, ZMQ_TYPE, &type, &size) == 0 &&
        type == ZMQ_PAIR) {
        inside = true;
        naps--;
        for (int i = 0; i < 20; i++) {
            struct link_event event;
            link_poll(server, 5, &event);
        }
        inside = false;
    }
    errno = why;
    return n;
}

static void a_late_event_does_not_close_the_site_s_ears(void)
{
    server = ends_listen(1, &ends_quick);
    naps = 3;
    inside = true; /* the server's own events are not the site's */
    AUTO(link_free) struct link *site = ends_connect(link_port(server), 0, &ends_quick);
    struct link_event event = {0};
    for (int i = 0; i < ENDS_PATIENCE && event.kind != LINK_UP; i++) {
        inside = false;
        link_poll(site, 10, &event);
        inside = true;
    }
    CHECK_NUMBER(LINK_UP, event.kind);
    CHECK_OK(ends_say(site, 0, "hello"));
    CHECK(ends_wait(server, LINK_MESSAGE, &event, site));
    CHECK_OK(ends_say(server, 0, "opening"));
    CHECK(ends_wait(site, LINK_MESSAGE, &event, server));
    CHECK(ends_said(&event, "opening"));
    link_free(&server);
}

int main(void)
{
    ends_init();
    RUN(a_late_event_does_not_close_the_site_s_ears);
    return check_done();
}
