/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/evidence.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "protocol/manifest.h"
#include "protocol/policy.h"

static const char head[] = "veilsum evidence 1\n";
/* The least that a line takes: two lengths. */
#define LINE_BYTES_MIN (2 * sizeof(uint32_t))

void evidence_free(struct evidence *evidence)
{
    free(evidence->trail);
    free(evidence->ledger);
    *evidence = (struct evidence){0};
}

/* --- writing ---------------------------------------------------------------------------------- */

static enum status collect_file(struct buffer *out, const char *folder, const char *name,
                                size_t limit)
{
    char path[FILE_PATH_MAX];
    AUTO(buffer_free) struct buffer bytes = {0};
    TRY(file_path(path, sizeof path, folder, name));
    TRY(file_read(&bytes, path, limit));
    write_blob(out, bytes.at, bytes.n);
    return out->status;
}

/* Numbers are in the entries: a row that was moved is found by them. */
static enum status collect_lines(struct buffer *out, const char *path, const char *sql)
{
    AUTO(db_close) struct db *db = NULL;
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    AUTO(buffer_free) struct buffer lines = {0};
    uint32_t n = 0;
    TRY(db_look(&db, path));
    TRY(db_ask(&rows, db, sql, 0, NULL));
    for (bool more = true;; n++) {
        TRY(db_next(rows, &more));
        if (!more) break;
        for (int column = 0; column < 2; column++) {
            const struct view bytes = db_blob(rows, column);
            write_blob(&lines, bytes.at, bytes.n);
        }
        TRY(lines.status);
        if (lines.n > EVIDENCE_BYTES_MAX) return STATUS_RANGE;
    }
    write_u32(out, n);
    write_bytes(out, lines.at, lines.n);
    return out->status;
}

/* A coordinator has no policy: its ledger is beside its journal. */
static enum status find_ledger(char path[static FILE_PATH_MAX], const char *folder)
{
    struct policy policy;
    struct settings_error why;
    TRY(file_path(path, FILE_PATH_MAX, folder, "policy.yaml"));
    if (access(path, F_OK) != 0) return file_path(path, FILE_PATH_MAX, folder, "ledger.db");
    TRY(policy_read(&policy, path, &why));
    return policy_ledger(path, folder, &policy);
}

enum status evidence_collect(struct buffer *out, const char *folder, const char **lacks)
{
    char journal[FILE_PATH_MAX], ledger[FILE_PATH_MAX];
    write_bytes(out, head, sizeof head - 1);
    *lacks = "manifest";
    TRY(collect_file(out, folder, *lacks, MANIFEST_BYTES_MAX));
    *lacks = "study.yaml";
    TRY(collect_file(out, folder, *lacks, EVIDENCE_STUDY_MAX));
    *lacks = "journal.db";
    TRY(file_path(journal, sizeof journal, folder, *lacks));
    TRY(collect_lines(out, journal, "SELECT bytes, signature FROM trail ORDER BY number"));
    *lacks = "policy.yaml";
    TRY(find_ledger(ledger, folder));
    *lacks = "ledger.db";
    TRY(collect_lines(out, ledger, "SELECT bytes, signature FROM entry ORDER BY number"));
    *lacks = NULL;
    return STATUS_OK;
}

enum status evidence_export(const char *path, const char *folder, const char **lacks)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    TRY(evidence_collect(&bytes, folder, lacks));
    *lacks = path;
    return file_write(path, buffer_view(&bytes), 0644);
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum status read_lines(struct reader *r, size_t *n, struct evidence_line **line)
{
    const uint32_t count = read_u32(r);
    if (count > r->left / LINE_BYTES_MIN) return STATUS_FORMAT;
    struct evidence_line *made = calloc(count + 1u, sizeof *made);
    if (made == NULL) return STATUS_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        made[i].bytes = read_blob(r, TRAIL_ENTRY_BYTES_MAX);
        made[i].signature = read_blob(r, SIGN_BYTES);
    }
    *n = count;
    *line = made;
    return STATUS_OK;
}

enum status evidence_read(struct evidence *out, struct view in)
{
    AUTO(evidence_free) struct evidence evidence = {0};
    struct reader r = reader_of(in);
    const struct view start = read_view(&r, sizeof head - 1);
    if (r.bad || memcmp(start.at, head, start.n) != 0) return STATUS_FORMAT;
    evidence.manifest = read_blob(&r, MANIFEST_BYTES_MAX);
    evidence.study = read_blob(&r, EVIDENCE_STUDY_MAX);
    TRY(read_lines(&r, &evidence.n_trail, &evidence.trail));
    TRY(read_lines(&r, &evidence.n_ledger, &evidence.ledger));
    TRY(reader_end(&r));
    *out = evidence;
    evidence = (struct evidence){0};
    return STATUS_OK;
}
