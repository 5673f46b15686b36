/* SPDX-License-Identifier: Apache-2.0 */
/* A16, old keys: the coordinator puts adverts or headers of an earlier session into a new one, so
 * that pads and shares are of keys that it may know by now. */
#include <string.h>

#include "tests/attack/row.h"
#include "tests/lib/forge.h"

#define VICTIM 0
#define OTHER 3

static const uint64_t dims[1] = {4};

/* What OTHER and VICTIM sent in the first session. */
static struct {
    struct buffer advert[2], header;
} old;

static void copy(struct buffer *out, struct view bytes)
{
    out->n = 0;
    write_bytes(out, bytes.at, bytes.n);
}

static bool keep(struct arena *a, struct flight *flight)
{
    const struct view bytes = buffer_view(&flight->bytes);
    if (flight_kind(flight) == MSG_ADVERT && flight->from == OTHER) copy(&old.advert[0], bytes);
    if (flight_kind(flight) == MSG_ADVERT && flight->from == VICTIM) copy(&old.advert[1], bytes);
    if (flight_kind(flight) == MSG_SHARES && flight->from == OTHER) {
        AUTO(shares_free) struct shares shares = {0};
        CHECK_OK(shares_read(&shares, bytes, a->n, SIZE_MAX));
        copy(&old.header, shares.header);
    }
    return true;
}

static void old_advert(struct arena *a, void *content)
{
    (void)a;
    ((struct roster *)content)->advert[OTHER] = buffer_view(&old.advert[0]);
}

static void own_old_advert(struct arena *a, void *content)
{
    (void)a;
    ((struct roster *)content)->advert[VICTIM] = buffer_view(&old.advert[1]);
}

static void old_header(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    inbox->header[OTHER] = buffer_view(&old.header);
    inbox->head[OTHER] = header_hash(inbox->header[OTHER]);
}

static void change_in_the_second(enum msg_kind kind, void (*change)(struct arena *, void *))
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    a.filter = keep;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    struct forgery forgery = {.kind = kind, .site = VICTIM, .change = change};
    a.filter = forge;
    a.context = &forgery;
    arena_begin(&a);
    while (!forgery.done) CHECK(arena_step(&a));
    CHECK_REFUSED(ROSTER, a.last_refusal[VICTIM]);
    CHECK(!a.has_input[VICTIM]);
}

static void keys_of_an_earlier_session_are_refused(void)
{
    change_in_the_second(MSG_ROSTER, old_advert);
    change_in_the_second(MSG_ROSTER, own_old_advert);
}

static void commitments_of_an_earlier_session_are_refused(void)
{
    change_in_the_second(MSG_INBOX, old_header);
}

static void reuse(void)
{
    RUN(keys_of_an_earlier_session_are_refused);
    RUN(commitments_of_an_earlier_session_are_refused);
    for (size_t i = 0; i < 2; i++) buffer_free(&old.advert[i]);
    buffer_free(&old.header);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"A16", "keys of an earlier session, used again", reuse}};
    return row_main(argc, argv, rows, 1);
}
