/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static const uint8_t identity[SIGN_SEED_BYTES] = {5};
static char folder[] = "/tmp/veilsum-evidence-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[FILE_PATH_MAX];
    REQUIRE(file_path(path, sizeof path, folder, name) == STATUS_OK);
    return path;
}

static void put_file(const char *name, const char *text)
{
    CHECK_OK(file_write(path_of(name), (struct view){(const uint8_t *)text, strlen(text)}, 0600));
}

/* Two entries of a trail, and a ledger in whose place anything may stand. */
static void put_folder(void)
{
    AUTO(db_close) struct db *journal = NULL, *ledger = NULL;
    const struct pen pen = {.identity = identity};
    put_file("manifest", "who");
    put_file("study.yaml", "what");
    CHECK_OK(db_open(&journal, path_of("journal.db"), TRAIL_SCHEMA));
    CHECK_OK(trail_add(journal, &pen, TRAIL_SENT, (struct view){(const uint8_t *)"one", 3}));
    CHECK_OK(trail_add(journal, &pen, TRAIL_SENT, (struct view){(const uint8_t *)"two", 3}));
    CHECK_OK(db_open(&ledger, path_of("ledger.db"),
                     "CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY,"
                     " bytes BLOB NOT NULL, signature BLOB NOT NULL) STRICT;"));
    CHECK_OK(db_run(ledger, "INSERT INTO entry VALUES (1, x'0102', x'03')", 0, NULL));
}

static void forget(void)
{
    static const char *const name[] = {
        "manifest",  "study.yaml",    "journal.db",    "journal.db-wal", "journal.db-shm",
        "ledger.db", "ledger.db-wal", "ledger.db-shm", "policy.yaml",    "other.db",
        "out"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) (void)unlink(path_of(name[i]));
}

static bool is(struct view view, const char *text)
{
    return view.n == strlen(text) && memcmp(view.at, text, view.n) == 0;
}

static void a_folder_comes_back(void)
{
    forget();
    put_folder();
    AUTO(buffer_free) struct buffer bytes = {0}, file = {0};
    AUTO(evidence_free) struct evidence evidence = {0};
    struct trail_entry entry = {0};
    const char *lacks = "";
    CHECK_OK(evidence_collect(&bytes, folder, &lacks));
    CHECK(lacks == NULL);
    CHECK_OK(evidence_read(&evidence, buffer_view(&bytes)));
    CHECK(is(evidence.manifest, "who") && is(evidence.study, "what"));
    CHECK_NUMBER(2, evidence.n_trail);
    CHECK_OK(trail_entry_read(&entry, evidence.trail[1].bytes));
    CHECK(entry.number == 2 && is(entry.body, "two"));
    CHECK(trail_entry_signed(&entry, evidence.trail[1].bytes, evidence.trail[1].signature.at));
    CHECK_NUMBER(1, evidence.n_ledger);
    CHECK(evidence.ledger[0].bytes.n == 2 && evidence.ledger[0].signature.n == 1);
    char out[FILE_PATH_MAX];
    (void)snprintf(out, sizeof out, "%s", path_of("out"));
    CHECK_OK(evidence_export(out, folder, &lacks));
    CHECK_OK(file_read(&file, out, EVIDENCE_BYTES_MAX));
    CHECK(file.n == bytes.n && memcmp(file.at, bytes.at, file.n) == 0);
    CHECK_STATUS(STATUS_IO, evidence_export("/dev/null/out", folder, &lacks));
    CHECK(strcmp(lacks, "/dev/null/out") == 0);
}

static void a_policy_says_where_the_ledger_is(void)
{
    forget();
    put_folder();
    char from[FILE_PATH_MAX];
    (void)snprintf(from, sizeof from, "%s", path_of("ledger.db"));
    CHECK(rename(from, path_of("other.db")) == 0);
    AUTO(buffer_free) struct buffer bytes = {0};
    const char *lacks = "";
    CHECK_STATUS(STATUS_IO, evidence_collect(&bytes, folder, &lacks));
    CHECK(strcmp(lacks, "ledger.db") == 0);
    put_file("policy.yaml", "ledger: other.db\n");
    buffer_free(&bytes);
    CHECK_OK(evidence_collect(&bytes, folder, &lacks));
    put_file("policy.yaml", "nonsense: 3\n");
    CHECK(evidence_collect(&bytes, folder, &lacks) != STATUS_OK);
    CHECK(strcmp(lacks, "policy.yaml") == 0);
}

static void what_is_missing_is_named_and_never_made(void)
{
    static const char *const name[] = {"manifest", "study.yaml", "journal.db", "ledger.db"};
    for (size_t i = 0; i < 4; i++) {
        forget();
        put_folder();
        CHECK(unlink(path_of(name[i])) == 0);
        AUTO(buffer_free) struct buffer bytes = {0};
        const char *lacks = "";
        CHECK_STATUS(STATUS_IO, evidence_collect(&bytes, folder, &lacks));
        CHECK(strcmp(lacks, name[i]) == 0);
        CHECK(access(path_of(name[i]), F_OK) != 0);
    }
    forget();
    put_folder();
    put_file("journal.db", "not a database, but long enough to be taken for one: ...........");
    AUTO(buffer_free) struct buffer bytes = {0};
    const char *lacks = "";
    CHECK_STATUS(STATUS_FORMAT, evidence_collect(&bytes, folder, &lacks));
}

static void what_is_no_evidence_is_refused(void)
{
    forget();
    put_folder();
    AUTO(buffer_free) struct buffer bytes = {0};
    struct evidence evidence = {0};
    const char *lacks = "";
    CHECK_OK(evidence_collect(&bytes, folder, &lacks));
    for (size_t n = 0; n < bytes.n; n++)
        CHECK_STATUS(STATUS_FORMAT, evidence_read(&evidence, (struct view){bytes.at, n}));
    write_u8(&bytes, 0);
    CHECK_STATUS(STATUS_FORMAT, evidence_read(&evidence, buffer_view(&bytes)));
    bytes.n--;
    bytes.at[17] = '2';
    CHECK_STATUS(STATUS_FORMAT, evidence_read(&evidence, buffer_view(&bytes)));
    CHECK(evidence.trail == NULL);
}

static void running_out_of_memory_reads_nothing(void)
{
    forget();
    put_folder();
    AUTO(buffer_free) struct buffer bytes = {0};
    const char *lacks = "";
    CHECK_OK(evidence_collect(&bytes, folder, &lacks));
    OOM_EACH {
        AUTO(evidence_free) struct evidence evidence = {0};
        const enum status status = evidence_read(&evidence, buffer_view(&bytes));
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((status == STATUS_OK) == (evidence.trail != NULL));
    }
    OOM_EACH {
        AUTO(buffer_free) struct buffer again = {0};
        const enum status status = evidence_collect(&again, folder, &lacks);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
    }
}

int main(void)
{
    if (mkdtemp(folder) == NULL) return 1;
    RUN(a_folder_comes_back);
    RUN(a_policy_says_where_the_ledger_is);
    RUN(what_is_missing_is_named_and_never_made);
    RUN(what_is_no_evidence_is_refused);
    RUN(running_out_of_memory_reads_nothing);
    forget();
    (void)rmdir(folder);
    return check_done();
}
