/* SPDX-License-Identifier: Apache-2.0 */
/* What a site can show afterwards: all that it remembered and sent, in that order, once each. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/client/ward.h"

#define ROWS_MAX 16

struct seen {
    size_t n;
    struct trail_entry entry[ROWS_MAX];
    struct buffer bytes[ROWS_MAX];
};

static void seen_free(struct seen *seen)
{
    for (size_t i = 0; i < seen->n; i++) buffer_free(&seen->bytes[i]);
}

/* Every entry holds: number, chain, signer, signature. */
static void read_trail(struct seen *out)
{
    char path[FILE_PATH_MAX];
    AUTO(db_close) struct db *db = NULL;
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    struct hash previous = {0};
    ward_path(path, "journal.db");
    CHECK_OK(db_look(&db, path));
    CHECK_OK(db_ask(&rows, db, "SELECT bytes, signature FROM trail ORDER BY number", 0, NULL));
    for (bool more = true; out->n < ROWS_MAX; out->n++) {
        CHECK_OK(db_next(rows, &more));
        if (!more) return;
        struct buffer *bytes = &out->bytes[out->n];
        struct trail_entry *entry = &out->entry[out->n];
        write_bytes(bytes, db_blob(rows, 0).at, db_blob(rows, 0).n);
        CHECK_OK(trail_entry_read(entry, buffer_view(bytes)));
        CHECK_NUMBER(out->n + 1, entry->number);
        CHECK(hash_equal(&previous, &entry->previous));
        CHECK_BYTES(ward_site.manifest.member[1].identity, entry->signer, SIGN_PUBLIC_BYTES);
        CHECK(trail_entry_signed(entry, buffer_view(bytes), db_blob(rows, 1).at));
        previous = trail_entry_hash(buffer_view(bytes));
    }
}

static void open_ward(void)
{
    struct site_error why = {0};
    ward_make(ward_noisy, 2, 2, true);
    CHECK_OK(ward_open(&why));
    ward_site.session.last_round = 1;
}

/* An answer of the session, as it is before it is sent. */
static void send(enum msg_kind kind, size_t n)
{
    AUTO(outbox_free) struct outbox out = {0};
    struct buffer letter = {0};
    write_bytes(&letter, "SA1", 3);
    write_u8(&letter, (uint8_t)kind);
    while (letter.n < n) write_u8(&letter, 0);
    CHECK_OK(outbox_send(&out, OUTBOX_SERVER, &letter));
    CHECK_OK(site_remember(&ward_site, &out));
}

static void what_is_remembered_is_shown_with_the_ledger_s_head(void)
{
    AUTO(seen_free) struct seen seen = {0};
    AUTO(state_free) struct state state = {0};
    AUTO(plan_free) struct plan plan = {0};
    open_ward();
    CHECK_OK(state_new(&state, ward_site.layout.n));
    CHECK_NUMBER(REASON_NONE, ward_judge(&plan, 1, &state));
    ward_site.session.phase = SESSION_RESULT;
    ward_release(&plan, WARD_SITES);
    read_trail(&seen);
    static const enum memory_kind want[] = {MEMORY_PLAN, MEMORY_INPUT, MEMORY_RESULT};
    CHECK_NUMBER(3, seen.n);
    for (size_t i = 0; i < seen.n; i++) {
        struct memory memory = {0};
        CHECK(seen.entry[i].kind == TRAIL_MEMORY);
        CHECK_OK(memory_read(&memory, seen.entry[i].body));
        CHECK(memory.kind == want[i] && memory.round == 1);
    }
    /* The data set and the study; with the second entry the reservation. */
    CHECK_NUMBER(2, seen.entry[0].ledger.n);
    CHECK_NUMBER(3, seen.entry[1].ledger.n);
    CHECK(!hash_equal(&seen.entry[0].ledger.hash, &seen.entry[1].ledger.hash));
    ward_close();
}

/* --- ends --------------------------------------------------------------------------------------
 */

/* A round as far as its input, of a session that goes on. */
static void send_input(uint32_t round)
{
    AUTO(state_free) struct state state = {0};
    AUTO(plan_free) struct plan plan = {0};
    CHECK_OK(state_new(&state, ward_site.layout.n));
    CHECK_NUMBER(REASON_NONE, ward_judge(&plan, round, &state));
    ward_site.session.phase = SESSION_SURVIVORS;
    ward_release(&plan, 0);
}

/* The session is over, as after any message or deadline. */
static void rest(enum reason why)
{
    const struct outbox nothing = {0};
    ward_site.session.phase = SESSION_IDLE;
    ward_site.session.why = why;
    CHECK_OK(site_remember(&ward_site, &nothing));
}

static void open_again(void)
{
    struct site_error why = {0};
    ward_site.session.phase = SESSION_IDLE;
    site_close(&ward_site);
    CHECK_OK(ward_open(&why));
}

/* The last of n entries is the end of a round, with the ledger at this length. */
static void ends(size_t n, uint32_t round, enum reason why, uint64_t n_ledger)
{
    AUTO(seen_free) struct seen seen = {0};
    struct trail_end end = {0};
    read_trail(&seen);
    CHECK_NUMBER(n, seen.n);
    if (seen.n == 0) return;
    const struct trail_entry *last = &seen.entry[seen.n - 1];
    CHECK(last->kind == TRAIL_END);
    CHECK_OK(trail_end_read(&end, last->body));
    CHECK(end.round == round && end.why == why);
    CHECK_NUMBER(n_ledger, last->ledger.n);
    CHECK(hash_equal(&ward_site.budget.ledger.head.hash, &last->ledger.hash));
}

static void a_round_ends_once_the_ledger_is_settled(void)
{
    open_ward();
    send_input(1);
    ward_remember(MEMORY_RESULT, 1, WARD_SITES);
    rest(REASON_NONE);
    ends(4, 1, REASON_NONE, 4);
    rest(REASON_NONE);
    open_again();
    ends(4, 1, REASON_NONE, 4);
    ward_close();
}

static void a_round_that_is_given_up_ends_with_its_reason(void)
{
    open_ward();
    send_input(1);
    rest(REASON_QUORUM);
    ends(3, 1, REASON_QUORUM, 3); /* its input left: it counts at its worst */
    ward_close();
}

static void a_round_ends_when_its_site_is_started_again(void)
{
    open_ward();
    ward_site.session.phase = SESSION_ROSTER;
    ward_remember(MEMORY_PLAN, 1, 0);
    open_again();
    ends(2, 1, REASON_ABANDONED, 2);
    send_input(2);
    ward_remember(MEMORY_RESULT, 2, WARD_SITES);
    open_again(); /* between the result and the ledger */
    ends(6, 2, REASON_NONE, 4);
    ward_close();
}

static void a_round_ends_before_the_plan_that_takes_its_place(void)
{
    AUTO(seen_free) struct seen seen = {0};
    struct trail_end end = {0};
    open_ward();
    send_input(1);
    ward_remember(MEMORY_PLAN, 2, 0);
    read_trail(&seen);
    CHECK_NUMBER(4, seen.n);
    CHECK(seen.entry[2].kind == TRAIL_END && seen.entry[3].kind == TRAIL_MEMORY);
    CHECK_OK(trail_end_read(&end, seen.entry[2].body));
    CHECK(end.round == 1 && end.why == REASON_ABANDONED);
    rest(REASON_DEADLINE);
    ends(5, 2, REASON_DEADLINE, 3);
    ward_close();
}

/* --- messages ----------------------------------------------------------------------------------
 */

static void a_message_is_shown_once_however_often_it_is_sent(void)
{
    AUTO(seen_free) struct seen seen = {0};
    open_ward();
    send(MSG_HELLO, 60);
    send(MSG_ADVERT, 70);
    send(MSG_ADVERT, 70);
    send(MSG_SHARES, 90);
    send(MSG_ABORT, 50);
    ward_site.session.last_round = 2;
    send(MSG_ADVERT, 71);
    read_trail(&seen);
    static const struct trail_sent want[] = {
        {1, MSG_ADVERT, 70}, {1, MSG_SHARES, 90}, {2, MSG_ADVERT, 71}};
    CHECK_NUMBER(3, seen.n);
    for (size_t i = 0; i < seen.n; i++) {
        struct trail_sent sent = {0};
        CHECK(seen.entry[i].kind == TRAIL_SENT);
        CHECK_OK(trail_sent_read(&sent, seen.entry[i].body));
        CHECK(sent.round == want[i].round && sent.kind == want[i].kind);
        CHECK_NUMBER(want[i].bytes, sent.bytes);
    }
    ward_close();
}

/* A refused entry leaves nothing of what came with it. */
static void what_is_not_remembered_is_not_shown(void)
{
    AUTO(seen_free) struct seen seen = {0};
    AUTO(outbox_free) struct outbox out = {0};
    open_ward();
    static const enum memory_kind kind[] = {MEMORY_PLAN, MEMORY_INPUT};
    for (size_t i = 0; i < 2; i++) {
        struct buffer entry = {0};
        memory_write(&entry, &(struct memory){.kind = kind[i], .round = 1});
        CHECK_OK(outbox_journal(&out, &entry));
    }
    CHECK_STATUS(STATUS_STATE, site_remember(&ward_site, &out)); /* nothing is reserved */
    read_trail(&seen);
    CHECK_NUMBER(0, seen.n);
    struct journal_round known = {0};
    CHECK_OK(journal_round(ward_site.journal, 1, &known));
    CHECK(!known.planned);
    ward_close();
}

int main(void)
{
    RUN(what_is_remembered_is_shown_with_the_ledger_s_head);
    RUN(a_round_ends_once_the_ledger_is_settled);
    RUN(a_round_that_is_given_up_ends_with_its_reason);
    RUN(a_round_ends_when_its_site_is_started_again);
    RUN(a_round_ends_before_the_plan_that_takes_its_place);
    RUN(a_message_is_shown_once_however_often_it_is_sent);
    RUN(what_is_not_remembered_is_not_shown);
    return check_done();
}
