/* SPDX-License-Identifier: Apache-2.0 */
/* What a site remembers, and what a party hands over, are what their tables in protocol/SPEC.md,
 * section 15, say. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "client/session.h"
#include "protocol/evidence.h"
#include "tests/lib/check.h"
#include "tests/unit/protocol/spec.h"

#define ENTRIES 2
#define RELEASES 3

static const struct outer outer[] = {{NULL, 0}};

static void a_memory_is_as_described(void)
{
    struct memory memory = {.kind = MEMORY_CONFIRM};
    const uint8_t kind = MEMORY_CONFIRM;
    want("memory", "u8", &kind, 1);
    PUT("round", "u32", memory.round);
    PUT("session", "session", memory.session);
    PUT("hash", "hash", memory.hash);
    PUT("survivors", "u32", memory.n_survivors);
    memory.proof = put_bytes("proof", "blob", 9);
    AUTO(buffer_free) struct buffer bytes = {0};
    memory_write(&bytes, &memory);
    check_table("MEMORY", buffer_view(&bytes));
}

static void lines(const char *path, const char *schema, const char *insert, uint32_t n)
{
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, schema));
    for (uint32_t i = 1; i <= n; i++) {
        const struct view entry = put_bytes("entry", "blob", 4 + i);
        const struct view signature = put_bytes("signature", "blob", 8 + i);
        const struct db_value value[] = {DB_INT(i), DB_BLOB(entry.at, entry.n),
                                         DB_BLOB(signature.at, signature.n)};
        CHECK_OK(db_run(db, insert, 3, value));
    }
}

static void evidence_is_as_described(void)
{
    static const char *const name[] = {"manifest",      "study.yaml",     "journal.db",
                                       "ledger.db",     "journal.db-wal", "journal.db-shm",
                                       "ledger.db-wal", "ledger.db-shm"};
    char folder[] = "/tmp/veilsum-spec-XXXXXX", path[8][FILE_PATH_MAX];
    const uint32_t entries = ENTRIES, releases = RELEASES;
    const char *lacks = NULL;
    REQUIRE(mkdtemp(folder) != NULL);
    for (size_t i = 0; i < 8; i++) CHECK_OK(file_path(path[i], sizeof path[i], folder, name[i]));
    want("veilsum evidence", "line", "1", 1);
    CHECK_OK(file_write(path[0], put_bytes("manifest", "blob", 5), 0600));
    CHECK_OK(file_write(path[1], put_bytes("study", "blob", 7), 0600));
    want("entries", "u32", &entries, sizeof entries);
    lines(path[2], TRAIL_SCHEMA, "INSERT INTO trail VALUES (?, ?, ?)", ENTRIES);
    want("releases", "u32", &releases, sizeof releases);
    lines(path[3], "CREATE TABLE entry (number INTEGER, bytes BLOB, signature BLOB) STRICT;",
          "INSERT INTO entry VALUES (?, ?, ?)", RELEASES);
    AUTO(buffer_free) struct buffer bytes = {0};
    CHECK_OK(evidence_collect(&bytes, folder, &lacks));
    check_table("EVIDENCE", buffer_view(&bytes));
    for (size_t i = 0; i < 8; i++) (void)unlink(path[i]);
    CHECK(rmdir(folder) == 0);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    CHECK(spec_open(argv[1], "## 6. Messages", outer));
    RUN(a_memory_is_as_described);
    RUN(evidence_is_as_described);
    spec_close();
    return check_done();
}
