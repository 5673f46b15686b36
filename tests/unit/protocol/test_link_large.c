/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of many frames, over connections that break, from many sites at once. */
#include <string.h>

#include "crypto/rng.h"
#include "tests/lib/check.h"
#include "tests/unit/protocol/ends.h"

#define LARGE (12 << 20)

static uint8_t noise[LARGE];

static const struct link_settings roomy = {
    .message_bytes = LARGE, .retry_ms = 20, .attempt_ms = 2000, .linger_ms = 100};

static void a_broken_transfer_goes_on_where_it_was(void)
{
    AUTO(link_free) struct link *server = ends_listen(1, &roomy);
    struct relay relay = {.to = link_port(server), .budget = 6 << 20};
    relay_start(&relay);
    struct link *site = ends_connect(relay.port, 0, &roomy);
    struct link_event event;
    CHECK(ends_wait(site, LINK_UP, &event, server));
    CHECK_OK(ends_send(site, 0, noise, LARGE));
    CHECK_OK(ends_say(site, 0, "and then"));
    CHECK(ends_wait(site, LINK_DOWN, &event, server));
    CHECK_STATUS(STATUS_IO, ends_say(site, 0, "not now"));
    CHECK(!link_idle(site, 0));
    CHECK(ends_wait(server, LINK_MESSAGE, &event, site)); /* without another word of ours */
    CHECK_NUMBER(LARGE, event.message.n);
    CHECK(event.message.n == LARGE && memcmp(event.message.at, noise, LARGE) == 0);
    CHECK(link_bytes_in(server, 0) < LARGE + (LARGE >> 6));
    CHECK(ends_wait(server, LINK_MESSAGE, &event, site));
    CHECK(ends_said(&event, "and then"));
    CHECK_NUMBER(0, link_faults(server, 0) + link_faults(site, 0));
    link_free(&site);
    relay_stop(&relay);
}

/* Two places for sixteen sites, and one message of the coordinator for all of them. */
static void many_sites_share_a_small_pool(void)
{
    enum { SITES = 16, BYTES = 2 << 20 };
    struct link_settings narrow = ends_quick;
    narrow.pool_bytes = 2 * BYTES;
    AUTO(link_free) struct link *server = ends_listen(SITES, &narrow);
    struct link *site[SITES];
    for (size_t i = 0; i < SITES; i++) site[i] = ends_join(server, i, &ends_quick);
    struct buffer copy = {0}, head = {0};
    AUTO(blob_free) struct blob *model = NULL, *title = NULL;
    write_bytes(&copy, noise, BYTES - 5);
    write_bytes(&head, "model", 5);
    CHECK_OK(blob_of(&model, &copy));
    CHECK_OK(blob_of(&title, &head));
    for (size_t i = 0; i < SITES; i++) {
        CHECK_OK(ends_send(site[i], 0, noise + i, BYTES));
        CHECK_OK(link_send(server, i, title, model));
    }
    size_t up = 0, down = 0;
    for (int turn = 0; turn < ENDS_PATIENCE && (up < SITES || down < SITES); turn++) {
        struct link_event event;
        link_poll(server, 1, &event);
        if (event.kind == LINK_MESSAGE) {
            up++;
            CHECK(event.message.n == BYTES && /* each with its own bytes */
                  memcmp(event.message.at, noise + event.peer, BYTES) == 0);
        }
        for (size_t i = 0; i < SITES; i++) {
            link_poll(site[i], 0, &event);
            if (event.kind != LINK_MESSAGE) continue;
            down++;
            CHECK(event.message.n == BYTES && memcmp(event.message.at, "model", 5) == 0 &&
                  memcmp(event.message.at + 5, noise, BYTES - 5) == 0);
        }
    }
    CHECK_NUMBER(SITES, up);
    CHECK_NUMBER(SITES, down);
    for (size_t i = 0; i < SITES; i++) link_free(&site[i]);
}

/* One site holds the only place and is away; another gets it after stall_ms. */
static void a_stalled_site_does_not_hold_up_the_others(void)
{
    struct link_settings one_place = roomy;
    one_place.pool_bytes = LARGE;
    one_place.stall_ms = 200;
    AUTO(link_free) struct link *server = ends_listen(2, &one_place);
    struct relay relay = {.to = link_port(server), .budget = 3 << 20, .holds = true};
    relay_start(&relay);
    AUTO(link_free) struct link *quick = ends_join(server, 1, &roomy);
    struct link *slow = ends_connect(relay.port, 0, &roomy);
    struct link_event event;
    CHECK(ends_wait(slow, LINK_UP, &event, server));
    CHECK_OK(ends_send(slow, 0, noise, LARGE));
    while (link_bytes_in(server, 0) < 2 << 20) {
        link_poll(slow, 1, &event);
        link_poll(server, 1, &event);
    }
    CHECK_OK(ends_send(quick, 0, noise, LARGE));
    CHECK(ends_wait(server, LINK_MESSAGE, &event, quick));
    CHECK_NUMBER(1, event.peer);
    link_free(&slow);
    relay_stop(&relay);
}

int main(void)
{
    ends_init();
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    rng_bytes(&rng, noise, sizeof noise);
    RUN(a_broken_transfer_goes_on_where_it_was);
    RUN(many_sites_share_a_small_pool);
    RUN(a_stalled_site_does_not_hold_up_the_others);
    return check_done();
}
