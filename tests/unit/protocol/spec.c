/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/protocol/spec.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "tests/lib/check.h"

static const char titles[] = "| field | bytes | meaning |";
static struct buffer spec;
static struct table types;
static const struct outer *outer;
static bool size_matters[TABLE_ROWS_MAX];
static struct table kinds;
static bool kind_seen[TABLE_ROWS_MAX];

/* --- what was put in ---------------------------------------------------------------------------*/

static struct want wants[TABLE_WANTS_MAX];
static size_t n_wants;

void want(const char *name, const char *type, const void *at, size_t n)
{
    REQUIRE(n_wants < TABLE_WANTS_MAX && n <= sizeof wants->at);
    struct want *next = &wants[n_wants++];
    *next = (struct want){.name = name, .type = type, .n = n};
    if (n > 0) memcpy(next->at, at, n);
}

/* Bytes that no other field has. */
static void fill(void *at, size_t n)
{
    static uint8_t last = 1;
    uint8_t *byte = at;
    last = (uint8_t)(last + 5);
    for (size_t i = 0; i < n; i++) byte[i] = (uint8_t)(last + 16 * i);
}

void put(const char *name, const char *type, void *field, size_t n)
{
    fill(field, n);
    want(name, type, field, n);
}

struct view put_bytes(const char *name, const char *type, size_t n)
{
    static uint8_t room[4096];
    static size_t used;
    uint8_t *at = room + used;
    used += n;
    REQUIRE(used <= sizeof room);
    put(name, type, at, n);
    return (struct view){at, n};
}

struct bits put_bits(const char *name, size_t n, uint64_t *word)
{
    want(name, "bits", word, (n + 7) / 8);
    return (struct bits){n, word};
}

/* --- comparison --------------------------------------------------------------------------------*/

static bool describes(const struct table *table, const struct table *with, struct view bytes)
{
    return table_describes(table, with, outer, bytes, wants, n_wants);
}

/* Whether the table still describes the bytes after one change at row i. */
static bool survives(const struct table *table, struct view bytes, size_t i, int change)
{
    struct table t = *table;
    struct row *row = &t.row[i];
    const bool is_block = strncmp(row->cell[0], "for each", 8) == 0 ||
                          strcmp(row->cell[0], "if so") == 0 || strcmp(row->cell[0], "else") == 0;
    switch (change) {
    case 0: /* left out */
        memmove(row, row + 1, (t.n - i - 1) * sizeof *row);
        t.n--;
        break;
    case 1: /* moved behind the next */
        if (i + 1 == t.n) return false;
        row[0] = table->row[i + 1];
        row[1] = table->row[i];
        break;
    case 2: /* of another type, or for nothing */
        snprintf(row->cell[1], sizeof row->cell[1], is_block ? "repeat nothing" : "f16");
        break;
    case 3: /* of another name; a block's name is for people */
        if (is_block) return false;
        snprintf(row->cell[0], sizeof row->cell[0], "other");
        break;
    default: /* twice */
        if (is_block || t.n == TABLE_ROWS_MAX) return false;
        memmove(row + 1, row, (t.n - i) * sizeof *row);
        t.n++;
    }
    return describes(&t, &types, bytes);
}

void check_table(const char *name, struct view bytes)
{
    char heading[64];
    snprintf(heading, sizeof heading, "### %s", name);
    static struct table table;
    CHECK(spec_table(&table, heading, titles));
    const bool described = describes(&table, &types, bytes);
    if (!described) printf("SPEC.md does not describe %s\n", name);
    CHECK(described);
    for (size_t i = 0; i < table.n; i++)
        for (int change = 0; change < 5; change++) {
            const bool survived = survives(&table, bytes, i, change);
            if (survived) printf("%s: change %d of row %zu is not noticed\n", name, change, i);
            CHECK(!survived);
        }
    for (size_t i = 0; i < types.n; i++) {
        struct table other = types;
        if (other.row[i].cell[1][0] == 0) continue;
        snprintf(other.row[i].cell[1], sizeof other.row[i].cell[1], "5");
        if (!describes(&table, &other, bytes)) size_matters[i] = true;
    }
    n_wants = 0;
}

void check_all_types_were_used(void)
{
    for (size_t i = 0; i < types.n; i++) CHECK(size_matters[i] || types.row[i].cell[1][0] == 0);
}

bool spec_open(const char *path, const char *heading, const struct outer *numbers)
{
    outer = numbers;
    return file_read(&spec, path, 1 << 20) == STATUS_OK &&
           spec_table(&types, heading, "| type | bytes | is |");
}

bool spec_table(struct table *out, const char *heading, const char *row)
{
    return table_read(out, buffer_view(&spec), heading, row);
}

bool spec_kinds(const char *heading, const char *row)
{
    return spec_table(&kinds, heading, row);
}

const struct row *check_kind(const char *name, uint8_t kind)
{
    char number[8];
    snprintf(number, sizeof number, "%d", kind);
    size_t i = 0;
    while (i < kinds.n && strcmp(kinds.row[i].cell[1], name) != 0) i++;
    CHECK(i < kinds.n && strcmp(kinds.row[i].cell[0], number) == 0);
    kind_seen[i] = true;
    return &kinds.row[i];
}

void check_all_kinds_were_used(size_t n)
{
    CHECK_NUMBER(n, kinds.n);
    for (size_t i = 0; i < kinds.n; i++) CHECK(kind_seen[i]);
}

void spec_close(void)
{
    buffer_free(&spec);
}
