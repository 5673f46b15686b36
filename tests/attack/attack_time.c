/* SPDX-License-Identifier: Apache-2.0 */
/* A21, what can be seen from outside: how many letters a site sends, how long they are, and when
 * the masked input leaves. The site's own event loop runs; the network, of which the coordinator
 * sees everything, is the test's: it defines what protocol/link.h declares. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/run.h"
#include "protocol/link.h"
#include "tests/attack/hospital.h"
#include "tests/attack/row.h"

/* --- sizes ------------------------------------------------------------------------------------ */

static const uint64_t dims[2] = {50, 9};

struct sight {
    uint32_t from, to;
    enum msg_kind kind;
    size_t n;
};

struct sights {
    size_t n;
    struct sight sight[256];
};

static void look(struct arena *a, const struct flight *letter)
{
    struct sights *sights = a->context;
    REQUIRE(sights->n < sizeof sights->sight / sizeof *sights->sight);
    struct sight *sight = &sights->sight[sights->n++];
    memset(sight, 0, sizeof *sight);
    sight->from = letter->from;
    sight->to = letter->to;
    sight->kind = flight_kind(letter);
    /* Which digests and paths a site is shown follows from the ring. */
    sight->n = sight->kind == MSG_SURVIVORS ? 0 : letter->bytes.n;
}

/* A round whose inputs, keys and noise follow from the seed. */
static void watch(struct sights *out, uint64_t seed, bool ring)
{
    AUTO(arena_close) struct arena a = {0};
    *out = (struct sights){0};
    arena_open(&a, 9, 1, 2, 2, dims, NULL, 32, seed);
    if (ring) arena_ring(&a, 7);
    a.spy = look;
    a.context = out;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
}

static void letters_are_those_of_any_other_data(void)
{
    static struct sights first, other;
    for (int ring = 0; ring < 2; ring++) {
        watch(&first, 1, ring == 1);
        CHECK(first.n > (size_t)9 * 9);
        for (uint64_t seed = 2; seed < 6; seed++) {
            watch(&other, seed, ring == 1);
            CHECK_NUMBER(first.n, other.n);
            CHECK_BYTES(first.sight, other.sight, first.n * sizeof *first.sight);
        }
    }
}

/* --- the moment ------------------------------------------------------------------------------- */

#define RELEASE_MS 600

/* The network of one site, whose coordinator writes down when what comes. */
struct link {
    struct hospital *h;
    size_t given;
    uint64_t inbox_ms, masked_ms;
    enum reason gave_up;
    struct buffer end;
};
static struct link net;

enum status link_connect(struct link **out, const char *endpoint,
                         const uint8_t secret[static LINK_KEY_BYTES],
                         const uint8_t server[static LINK_KEY_BYTES],
                         const struct link_settings *settings)
{
    (void)endpoint, (void)secret, (void)server, (void)settings;
    *out = &net;
    return STATUS_OK;
}

void link_free(struct link **link)
{
    *link = NULL;
}

uint64_t link_bytes_in(const struct link *link, size_t peer)
{
    (void)link;
    return peer;
}

uint64_t link_bytes_out(const struct link *link, size_t peer)
{
    (void)link;
    return peer;
}

enum status link_send(struct link *link, size_t peer, struct blob *head, struct blob *tail)
{
    (void)peer, (void)tail;
    struct arena *a = &link->h->arena;
    const struct view letter = blob_view(head);
    struct buffer copy = {0};
    switch (msg_kind_of(letter)) {
    case MSG_HELLO:
        return STATUS_OK;
    case MSG_MASKED:
        link->masked_ms = command_now_ms();
        break;
    case MSG_ABORT: {
        struct abort_notice notice = {0};
        CHECK_OK(abort_read(&notice, letter, a->manifest.member[HOSPITAL].identity));
        link->gave_up = notice.reason;
        break;
    }
    default:
        break;
    }
    write_bytes(&copy, letter.at, letter.n);
    arena_post(a, HOSPITAL, OUTBOX_SERVER, &copy);
    return STATUS_OK;
}

static void rest(int ms)
{
    const struct timespec time = {.tv_nsec = (ms > 20 ? 20 : ms) * 1000000L};
    (void)nanosleep(&time, NULL);
}

void link_poll(struct link *link, int timeout_ms, struct link_event *event)
{
    struct hospital *h = link->h;
    *event = (struct link_event){.kind = LINK_NOTHING};
    while (link->given == h->n_mail && arena_step(&h->arena)) continue;
    if (link->masked_ms > 0 || link->gave_up != REASON_NONE) {
        /* All is seen: what is no end of the study ends the site's loop. */
        *event = (struct link_event){.kind = LINK_MESSAGE, .message = buffer_view(&link->end)};
        return;
    }
    if (link->given == h->n_mail) {
        rest(timeout_ms);
        return;
    }
    const struct buffer *letter = &h->mail[link->given++];
    if (msg_kind_of(buffer_view(letter)) == MSG_INBOX) link->inbox_ms = command_now_ms();
    *event = (struct link_event){.kind = LINK_MESSAGE, .message = buffer_view(letter)};
}

static void play(struct hospital *h, uint32_t release_ms, size_t records)
{
    char study[1024];
    (void)snprintf(study, sizeof study, "%sdeadlines: {release_ms: %u}\n", hospital_study,
                   release_ms);
    CHECK_NUMBER(REASON_NONE, hospital_open(h, study, "min_contributors: 2\n", records));
    h->by_hand = true;
    net = (struct link){.h = h};
    write_bytes(&net.end, (const uint8_t[]){'S', 'A', '1', MSG_FINISH}, 4);
    arena_begin(&h->arena);
    const struct run_options options = {.connect = "the arena"};
    (void)run_site(&h->site, &options);
    buffer_free(&net.end);
}

static void an_input_leaves_at_its_moment_and_not_before(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    play(&h, RELEASE_MS, 20);
    CHECK_NUMBER(REASON_NONE, net.gave_up);
    CHECK(net.inbox_ms > 0 && net.masked_ms >= net.inbox_ms + RELEASE_MS);
}

static void work_that_is_late_does_not_leave_at_all(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    play(&h, 1, 20000);
    CHECK_REFUSED(DEADLINE, net.gave_up);
    CHECK_NUMBER(0, net.masked_ms);
}

static void seen_from_outside(void)
{
    RUN(letters_are_those_of_any_other_data);
    RUN(an_input_leaves_at_its_moment_and_not_before);
    RUN(work_that_is_late_does_not_leave_at_all);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"A21", "time and size of what a site sends", seen_from_outside}};
    return row_main(argc, argv, rows, 1);
}
