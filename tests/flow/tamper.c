/* SPDX-License-Identifier: Apache-2.0 */
/* Change what a party kept, behind its back: tamper FOLDER trail|ledger HOW, HOW one of
 * edited     a byte in the midst of an entry
 * redated    the time in the last entry, which no other entry names
 * dropped    an entry in the midst is gone
 * reordered  two entries have each other's place
 * forged     an entry is signed by a key of its own
 * truncated  the end is gone: of a trail the last round's end, of a ledger what it cost
 * rewritten  as the party itself could, so that the log by itself holds: a round in the midst is
 * gone from the coordinator's trail, a site's last input is another one, a ledger counts one noise
 * share more */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "client/session.h"
#include "crypto/keyfile.h"
#include "protocol/trail_round.h"
#include "tests/lib/check.h"

#define ROWS_MAX 4096

struct row {
    struct buffer bytes, signature;
};

static struct row row[ROWS_MAX];
static size_t n;
static bool is_trail;
static uint8_t identity[SIGN_SEED_BYTES];

static void read_rows(struct db *db, const char *sql)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    REQUIRE(db_ask(&rows, db, sql, 0, NULL) == STATUS_OK);
    for (bool more = true; n < ROWS_MAX; n++) {
        REQUIRE(db_next(rows, &more) == STATUS_OK);
        if (!more) return;
        write_bytes(&row[n].bytes, db_blob(rows, 0).at, db_blob(rows, 0).n);
        write_bytes(&row[n].signature, db_blob(rows, 1).at, db_blob(rows, 1).n);
    }
}

static void write_rows(struct db *db, const char *clear, const char *insert)
{
    REQUIRE(db_run(db, clear, 0, NULL) == STATUS_OK);
    for (size_t i = 0; i < n; i++) {
        const struct db_value value[] = {DB_INT(i + 1), DB_BLOB(row[i].bytes.at, row[i].bytes.n),
                                         DB_BLOB(row[i].signature.at, row[i].signature.n)};
        REQUIRE(db_run(db, insert, 3, value) == STATUS_OK);
    }
}

static void drop(size_t at)
{
    buffer_free(&row[at].bytes);
    buffer_free(&row[at].signature);
    memmove(&row[at], &row[at + 1], (n - at - 1) * sizeof *row);
    n--;
}

static struct hash hash_row(size_t i)
{
    const struct view bytes = buffer_view(&row[i].bytes);
    if (i == SIZE_MAX) return (struct hash){0};
    return is_trail ? trail_entry_hash(bytes) : ledger_entry_hash(bytes);
}

static void sign_row(size_t i, const uint8_t *seed)
{
    const struct view bytes = buffer_view(&row[i].bytes);
    if (is_trail)
        trail_entry_sign(row[i].signature.at, seed, bytes);
    else
        ledger_entry_sign(row[i].signature.at, seed, bytes);
}

/* Number, hash and signer begin an entry of either kind; all but them stays. */
static void renew(size_t i, const uint8_t *seed)
{
    uint8_t *at = row[i].bytes.at;
    const uint64_t number = i + 1;
    const struct hash previous = i == 0 ? (struct hash){0} : hash_row(i - 1);
    memcpy(at, &number, sizeof number);
    memcpy(at + 8, previous.bytes, HASH_BYTES);
    sign_public(at + 8 + HASH_BYTES + 8, seed);
    sign_row(i, seed);
}

/* Where a byte of the hash of a site's last input stands; of a coordinator's trail there is none.
 */
static uint8_t *find_input(size_t *at)
{
    for (*at = n; is_trail && (*at)-- > 0;) {
        struct trail_entry entry = {0};
        struct memory memory = {0};
        REQUIRE(trail_entry_read(&entry, buffer_view(&row[*at].bytes)) == STATUS_OK);
        if (entry.kind == TRAIL_MEMORY && memory_read(&memory, entry.body) == STATUS_OK &&
            memory.kind == MEMORY_INPUT)
            return row[*at].bytes.at + row[*at].bytes.n - entry.body.n + 1 + 4 + MSG_SESSION_BYTES;
    }
    return NULL;
}

static void rewrite(void)
{
    size_t at = 0;
    uint8_t *input = find_input(&at);
    if (input != NULL) {
        *input ^= 1;
    } else if (is_trail) {
        at = n / 4 * 2; /* a round, and its end */
        drop(at);
        drop(at);
    } else {
        at = n - 1;
        row[at].bytes.at[row[at].bytes.n - sizeof(uint32_t)]++;
    }
    for (; at < n; at++) renew(at, identity);
}

static void tamper(const char *how)
{
    static const uint8_t stranger[SIGN_SEED_BYTES] = {42};
    const size_t mid = n / 2;
    REQUIRE(n >= 6);
    if (strcmp(how, "edited") == 0)
        row[mid].bytes.at[row[mid].bytes.n / 2] ^= 1;
    else if (strcmp(how, "redated") == 0)
        row[n - 1].bytes.at[8 + HASH_BYTES] ^= 1;
    else if (strcmp(how, "dropped") == 0)
        drop(mid);
    else if (strcmp(how, "reordered") == 0) {
        const struct row first = row[mid];
        row[mid] = row[mid + 1];
        row[mid + 1] = first;
    } else if (strcmp(how, "forged") == 0)
        renew(mid, stranger);
    else if (strcmp(how, "truncated") == 0)
        n--;
    else {
        REQUIRE(strcmp(how, "rewritten") == 0);
        rewrite();
    }
}

int main(int argc, char **argv)
{
    char path[FILE_PATH_MAX];
    AUTO(db_close) struct db *db = NULL;
    struct keyfile key = {0};
    REQUIRE(argc == 4);
    is_trail = strcmp(argv[2], "trail") == 0;
    REQUIRE(file_path(path, sizeof path, argv[1], "key") == STATUS_OK);
    REQUIRE(keyfile_read(&key, path) == STATUS_OK);
    memcpy(identity, key.identity, sizeof identity);
    REQUIRE(file_path(path, sizeof path, argv[1], is_trail ? "journal.db" : "ledger.db") ==
            STATUS_OK);
    REQUIRE(db_open(&db, path, "") == STATUS_OK);
    read_rows(db, is_trail ? "SELECT bytes, signature FROM trail ORDER BY number"
                           : "SELECT bytes, signature FROM entry ORDER BY number");
    tamper(argv[3]);
    write_rows(db, is_trail ? "DELETE FROM trail" : "DELETE FROM entry",
               is_trail ? "INSERT INTO trail VALUES (?, ?, ?)"
                        : "INSERT INTO entry VALUES (?, ?, ?)");
    return 0;
}
