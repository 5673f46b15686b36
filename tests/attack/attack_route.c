/* SPDX-License-Identifier: Apache-2.0 */
/* A22, names of connections: a peer of ZeroMQ chooses its own. Who it is, the key says that it
 * proved to hold. Real sockets on the loopback. */
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "crypto/kx.h"
#include "protocol/link.h"
#include "tests/attack/row.h"
#include "tests/lib/forge.h"

/* Keys 0 and 1 are sites, 2 is a stranger, 3 the coordinator. */
enum { SITE, LIAR, STRANGER, COORDINATOR, PARTIES };
static uint8_t secret[PARTIES][LINK_KEY_BYTES];
static struct link_key public[PARTIES];

static const struct link_settings quick = {
    .message_bytes = 1 << 20, .retry_ms = 20, .attempt_ms = 2000, .linger_ms = 50};

static struct link *listen_any(void)
{
    struct link *link = NULL;
    CHECK_OK(link_listen(&link, "tcp://127.0.0.1:*", secret[COORDINATOR], 2, public, &quick));
    return link;
}

static struct link *join(const struct link *server, size_t who)
{
    char endpoint[64];
    struct link *link = NULL;
    (void)snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", link_port(server));
    CHECK_OK(link_connect(&link, endpoint, secret[who], public[COORDINATOR].bytes, &quick));
    return link;
}

/* A socket that links do not make: with a name of its own. */
struct raw {
    void *context, *socket;
};

static void raw_close(struct raw *raw)
{
    (void)zmq_close(raw->socket);
    (void)zmq_ctx_term(raw->context);
}

static void raw_join(struct raw *raw, const struct link *server, size_t who, const char *name)
{
    char endpoint[64];
    raw->context = zmq_ctx_new();
    raw->socket = zmq_socket(raw->context, ZMQ_DEALER);
    const int linger = 0;
    (void)snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", link_port(server));
    CHECK(zmq_setsockopt(raw->socket, ZMQ_LINGER, &linger, sizeof linger) == 0);
    CHECK(zmq_setsockopt(raw->socket, ZMQ_ROUTING_ID, name, strlen(name)) == 0);
    CHECK(zmq_setsockopt(raw->socket, ZMQ_CURVE_SERVERKEY, public[COORDINATOR].bytes, 32) == 0);
    CHECK(zmq_setsockopt(raw->socket, ZMQ_CURVE_PUBLICKEY, public[who].bytes, 32) == 0);
    CHECK(zmq_setsockopt(raw->socket, ZMQ_CURVE_SECRETKEY, secret[who], 32) == 0);
    CHECK(zmq_connect(raw->socket, endpoint) == 0);
    CHECK(zmq_send(raw->socket, "", 0, ZMQ_DONTWAIT) == 0); /* as a link greets */
}

/* What the coordinator's end hears while another end is served too. */
struct heard {
    bool up[2], down[2], spoken[2], troubled;
    enum reason trouble; /* of the other end */
};

/* For a while, or until something has come. */
static void hear(struct heard *heard, struct link *server, struct link *other, const bool *until)
{
    for (int i = 0; i < (until == NULL ? 60 : 60000); i++) {
        struct link_event event;
        if (until != NULL && *until) return;
        link_poll(server, 1, &event);
        REQUIRE(event.peer < 2);
        if (event.kind == LINK_UP) heard->up[event.peer] = true;
        if (event.kind == LINK_DOWN) heard->down[event.peer] = true;
        if (event.kind == LINK_MESSAGE) heard->spoken[event.peer] = true;
        if (other == NULL) continue;
        link_poll(other, 0, &event);
        if (event.kind != LINK_TROUBLE) continue;
        heard->troubled = true;
        heard->trouble = event.reason;
    }
}

static void a_chosen_name_makes_nobody_else(void)
{
    static const char *const names[] = {"0", "site-1", "00000000000000000000000000000000"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        AUTO(link_free) struct link *server = listen_any();
        AUTO(raw_close) struct raw liar = {0};
        raw_join(&liar, server, LIAR, names[i]);
        struct heard heard = {0}, after = {0};
        hear(&heard, server, NULL, &heard.up[LIAR]);
        CHECK(heard.up[LIAR] && !heard.up[SITE]);
        AUTO(raw_close) struct raw stranger = {0};
        raw_join(&stranger, server, STRANGER, names[i]);
        hear(&after, server, NULL, NULL);
        CHECK(!after.up[SITE] && !after.up[LIAR] && !after.down[LIAR]);
    }
}

static enum status say(struct link *link, const char *text)
{
    struct buffer copy = {0};
    AUTO(blob_free) struct blob *blob = NULL;
    write_bytes(&copy, text, strlen(text));
    CHECK_OK(blob_of(&blob, &copy));
    return link_send(link, 0, blob, NULL);
}

/* Whoever has the name first: the other peer's connection goes on, and a site is never kept out. */
static void one_name_for_two_keeps_nobody_out(void)
{
    AUTO(link_free) struct link *server = listen_any();
    AUTO(raw_close) struct raw first = {0};
    raw_join(&first, server, LIAR, "x");
    struct heard heard = {0};
    hear(&heard, server, NULL, &heard.up[LIAR]);
    CHECK(heard.up[LIAR]);
    AUTO(raw_close) struct raw second = {0};
    raw_join(&second, server, SITE, "x");
    heard = (struct heard){0};
    hear(&heard, server, NULL, NULL);
    CHECK(!heard.up[LIAR] && !heard.down[LIAR]);
    AUTO(link_free) struct link *site = join(server, SITE);
    hear(&heard, server, site, &heard.up[SITE]);
    hear(&heard, server, site, NULL); /* it is up at its own end as well */
    CHECK_OK(say(site, "here"));
    hear(&heard, server, site, &heard.spoken[SITE]);
    CHECK(heard.spoken[SITE] && !heard.spoken[LIAR] && !heard.down[LIAR]);
}

static void an_unlisted_key_does_not_get_in(void)
{
    AUTO(link_free) struct link *server = listen_any();
    AUTO(link_free) struct link *stranger = join(server, STRANGER);
    struct heard heard = {0};
    hear(&heard, server, stranger, &heard.troubled);
    CHECK(!heard.up[SITE] && !heard.up[LIAR]);
    CHECK_REFUSED(KEY_PENDING, heard.trouble);
}

/* And whoever got in as somebody else would still have to sign as that one. */
static void a_letter_under_anothers_number_is_not_taken(void)
{
    static const uint64_t dims[1] = {4};
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    arena_begin(&a);
    while (a.n_flights < 5 || flight_kind(&a.flight[0]) != MSG_ADVERT) CHECK(arena_step(&a));
    const uint32_t from = a.flight[0].from;
    a.flight[0].from = from == SITE ? LIAR : SITE;
    const uint32_t claimed = a.flight[0].from;
    arena_deliver_one(&a, 0);
    CHECK_STATUS(STATUS_AUTH, a.answer[claimed]);
    CHECK(!bits_has(&a.round.adverts, claimed) && !bits_has(&a.round.adverts, from));
}

static void names_of_connections(void)
{
    RUN(a_chosen_name_makes_nobody_else);
    RUN(one_name_for_two_keeps_nobody_out);
    RUN(an_unlisted_key_does_not_get_in);
    RUN(a_letter_under_anothers_number_is_not_taken);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < PARTIES; i++) {
        memset(secret[i], (int)i + 1, LINK_KEY_BYTES);
        kx_transport_public(public[i].bytes, secret[i]);
    }
    static const struct row rows[] = {
        {"A22", "a connection under another's name", names_of_connections}};
    return row_main(argc, argv, rows, 1);
}
