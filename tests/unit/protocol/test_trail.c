/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/trail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/forget.h"
#include "tests/lib/oom.h"

static const uint8_t identity[SIGN_SEED_BYTES] = {5};
static char path[64];

static struct view text(const char *s)
{
    return (struct view){(const uint8_t *)s, strlen(s)};
}

/* The n-th row. */
static void read_row(struct db *db, int n, struct buffer *bytes, struct buffer *signature)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool more = false;
    CHECK_OK(
        db_ask(&rows, db, "SELECT bytes, signature FROM trail WHERE number = ?", 1, &DB_INT(n)));
    CHECK_OK(db_next(rows, &more));
    REQUIRE(more);
    write_bytes(bytes, db_blob(rows, 0).at, db_blob(rows, 0).n);
    write_bytes(signature, db_blob(rows, 1).at, db_blob(rows, 1).n);
}

static void entries_are_numbered_chained_signed_and_name_the_ledger(void)
{
    forget_db(path);
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, TRAIL_SCHEMA));
    const struct pen pen = {.identity = identity, .time_s = 9, .ledger = {3, {{4}}}};
    CHECK_OK(trail_add(db, &pen, TRAIL_SENT, text("one")));
    CHECK_OK(trail_add(db, &pen, TRAIL_MEMORY, text("")));
    struct hash previous = {0};
    for (int i = 1; i <= 2; i++) {
        AUTO(buffer_free) struct buffer bytes = {0}, signature = {0};
        struct trail_entry entry = {0};
        read_row(db, i, &bytes, &signature);
        CHECK_OK(trail_entry_read(&entry, buffer_view(&bytes)));
        CHECK_NUMBER(i, entry.number);
        CHECK(hash_equal(&previous, &entry.previous));
        CHECK_NUMBER(9, entry.time_s);
        CHECK(entry.ledger.n == 3 && entry.ledger.hash.bytes[0] == 4);
        CHECK(entry.kind == (i == 1 ? TRAIL_SENT : TRAIL_MEMORY));
        CHECK_NUMBER(i == 1 ? 3 : 0, entry.body.n);
        CHECK_NUMBER(SIGN_BYTES, signature.n);
        CHECK(trail_entry_signed(&entry, buffer_view(&bytes), signature.at));
        bytes.at[8] ^= 1;
        CHECK(!trail_entry_signed(&entry, buffer_view(&bytes), signature.at));
        bytes.at[8] ^= 1;
        previous = trail_entry_hash(buffer_view(&bytes));
    }
}

static void a_damaged_end_is_not_written_behind(void)
{
    forget_db(path);
    AUTO(db_close) struct db *db = NULL;
    const struct pen pen = {.identity = identity};
    CHECK_OK(db_open(&db, path, TRAIL_SCHEMA));
    CHECK_OK(db_run(db, "INSERT INTO trail VALUES (-4, x'00', x'00')", 0, NULL));
    CHECK_STATUS(STATUS_FORMAT, trail_add(db, &pen, TRAIL_SENT, text("one")));
    CHECK_STATUS(STATUS_RANGE,
                 trail_add(db, &pen, TRAIL_SENT, (struct view){NULL, TRAIL_ENTRY_BYTES_MAX + 1u}));
}

static void running_out_of_memory_adds_nothing(void)
{
    forget_db(path);
    AUTO(db_close) struct db *db = NULL;
    const struct pen pen = {.identity = identity};
    CHECK_OK(db_open(&db, path, TRAIL_SCHEMA));
    OOM_EACH {
        const enum status status = trail_add(db, &pen, TRAIL_SENT, text("one"));
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        AUTO(db_rows_free) struct db_rows *rows = NULL;
        bool more = false;
        CHECK_OK(db_ask(&rows, db, "SELECT count(*) FROM trail", 0, NULL));
        CHECK_OK(db_next(rows, &more));
        CHECK_NUMBER(status == STATUS_OK, db_int(rows, 0));
    }
}

static void what_is_no_entry_is_refused(void)
{
    const struct trail_entry entry = {.number = 1, .kind = TRAIL_ROUND, .body = text("body")};
    struct trail_entry out = {.number = 99};
    AUTO(buffer_free) struct buffer bytes = {0};
    trail_entry_write(&bytes, &entry);
    for (size_t n = 0; n < bytes.n; n++)
        CHECK_STATUS(STATUS_FORMAT, trail_entry_read(&out, (struct view){bytes.at, n}));
    const size_t kind = bytes.n - 4 - 4 - 1;
    bytes.at[kind] = TRAIL_KINDS;
    CHECK_STATUS(STATUS_FORMAT, trail_entry_read(&out, buffer_view(&bytes)));
    bytes.at[kind] = 0;
    CHECK_STATUS(STATUS_FORMAT, trail_entry_read(&out, buffer_view(&bytes)));
    bytes.at[kind] = TRAIL_ROUND;
    bytes.at[0] = 0;
    CHECK_STATUS(STATUS_FORMAT, trail_entry_read(&out, buffer_view(&bytes)));
    CHECK_NUMBER(99, out.number);
}

static void what_is_no_message_sent_is_refused(void)
{
    struct trail_sent out = {.round = 99};
    AUTO(buffer_free) struct buffer bytes = {0};
    trail_sent_write(&bytes, &(struct trail_sent){.round = 3, .kind = MSG_MASKED, .bytes = 70000});
    CHECK_STATUS(STATUS_FORMAT, trail_sent_read(&out, (struct view){bytes.at, bytes.n - 1}));
    bytes.at[4] = MSG_KIND_COUNT;
    CHECK_STATUS(STATUS_FORMAT, trail_sent_read(&out, buffer_view(&bytes)));
    bytes.at[4] = 0;
    CHECK_STATUS(STATUS_FORMAT, trail_sent_read(&out, buffer_view(&bytes)));
    CHECK_NUMBER(99, out.round);
    bytes.at[4] = MSG_MASKED;
    CHECK_OK(trail_sent_read(&out, buffer_view(&bytes)));
    CHECK(out.round == 3 && out.kind == MSG_MASKED && out.bytes == 70000);
}

static void the_last_entry_of_a_kind_is_found(void)
{
    forget_db(path);
    AUTO(db_close) struct db *db = NULL;
    AUTO(buffer_free) struct buffer none = {0}, sent = {0}, remembered = {0};
    const struct pen pen = {.identity = identity};
    CHECK_OK(db_open(&db, path, TRAIL_SCHEMA));
    CHECK_OK(trail_last(&none, db, TRAIL_SENT));
    CHECK_OK(trail_add(db, &pen, TRAIL_SENT, text("one")));
    CHECK_OK(trail_add(db, &pen, TRAIL_SENT, text("two")));
    CHECK_OK(trail_add(db, &pen, TRAIL_MEMORY, text("three")));
    CHECK_OK(trail_last(&none, db, TRAIL_END));
    CHECK_NUMBER(0, none.n);
    CHECK_OK(trail_last(&sent, db, TRAIL_SENT));
    CHECK(sent.n == 3 && memcmp(sent.at, "two", 3) == 0);
    CHECK_OK(trail_last(&remembered, db, TRAIL_MEMORY));
    CHECK_NUMBER(5, remembered.n);
    CHECK_OK(db_run(db, "UPDATE trail SET bytes = x'00' WHERE number = 3", 0, NULL));
    CHECK_STATUS(STATUS_FORMAT, trail_last(&none, db, TRAIL_SENT));
    CHECK_NUMBER(0, none.n);
}

static void an_end_comes_back(void)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    const struct trail_end in = {.round = 70000, .why = REASON_ABANDONED};
    struct trail_end out = {0};
    trail_end_write(&bytes, &in);
    CHECK_OK(trail_end_read(&out, buffer_view(&bytes)));
    CHECK(out.round == in.round && out.why == in.why);
    write_u8(&bytes, 0);
    struct trail_end same = {.round = 3};
    for (size_t n = 0; n <= bytes.n; n++)
        if (n != bytes.n - 1)
            CHECK_STATUS(STATUS_FORMAT, trail_end_read(&same, (struct view){bytes.at, n}));
    CHECK_NUMBER(3, same.round);
}

int main(void)
{
    char folder[] = "/tmp/veilsum-trail-XXXXXX";
    if (mkdtemp(folder) == NULL) return 1;
    (void)snprintf(path, sizeof path, "%s/trail.db", folder);
    RUN(entries_are_numbered_chained_signed_and_name_the_ledger);
    RUN(a_damaged_end_is_not_written_behind);
    RUN(running_out_of_memory_adds_nothing);
    RUN(what_is_no_entry_is_refused);
    RUN(what_is_no_message_sent_is_refused);
    RUN(the_last_entry_of_a_kind_is_found);
    RUN(an_end_comes_back);
    forget_db(path);
    (void)rmdir(folder);
    return check_done();
}
