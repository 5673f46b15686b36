/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/protocol/table.h"

#include <stdlib.h>
#include <string.h>

/* --- reading -----------------------------------------------------------------------------------*/

/* The next line without its end; at is moved behind it. False at the end of the text. */
static bool next_line(struct view *text, struct view *line)
{
    if (text->n == 0) return false;
    const uint8_t *end = memchr(text->at, '\n', text->n);
    line->at = text->at;
    line->n = end == NULL ? text->n : (size_t)(end - text->at);
    const size_t used = line->n + (end == NULL ? 0 : 1);
    *text = (struct view){text->at + used, text->n - used};
    return true;
}

static bool begins(struct view line, const char *with)
{
    return line.n >= strlen(with) && memcmp(line.at, with, strlen(with)) == 0;
}

/* "| a | b | ..." into cells. */
static bool read_row(struct row *row, struct view line)
{
    *row = (struct row){0};
    size_t at = 0;
    for (size_t i = 0; i < 4 && at + 1 < line.n; i++) {
        size_t from = at + 1, to = from;
        while (to < line.n && line.at[to] != '|') to++;
        at = to;
        while (from < to && line.at[from] == ' ') from++;
        while (to > from && line.at[to - 1] == ' ') to--;
        while (i == 0 && from < to && line.at[from] == '.') row->depth++, from++;
        while (from < to && line.at[from] == ' ') from++;
        /* Meanings are for people and may be long. */
        if (to - from > TABLE_TEXT_MAX && i < 2) return false;
        if (to - from <= TABLE_TEXT_MAX) memcpy(row->cell[i], line.at + from, to - from);
    }
    return true;
}

bool table_read(struct table *out, struct view text, const char *heading, const char *titles)
{
    *out = (struct table){0};
    struct view line;
    bool below = *heading == 0, inside = false;
    while (next_line(&text, &line)) {
        if (!below) {
            below = line.n == strlen(heading) && begins(line, heading);
        } else if (!inside) {
            if (*heading != 0 && begins(line, "#")) return false;
            inside = begins(line, titles);
        } else if (begins(line, "|")) {
            if (begins(line, "|---")) continue;
            if (out->n == TABLE_ROWS_MAX || !read_row(&out->row[out->n++], line)) return false;
        } else {
            break;
        }
    }
    return out->n > 0;
}

/* --- walking -----------------------------------------------------------------------------------*/

struct walk {
    const struct table *table, *types;
    struct reader r;
    const struct want *want;
    size_t n_want;
    bool used[TABLE_WANTS_MAX];
    struct outer known[48]; /* numbers so far, the latest last */
    size_t n_known;
};

static bool lookup(const struct walk *w, const char *name, uint64_t *value)
{
    for (size_t i = w->n_known; i > 0; i--) {
        if (strcmp(w->known[i - 1].name, name) != 0) continue;
        *value = w->known[i - 1].value;
        return true;
    }
    return false;
}

/* A later value of one name takes the place of the earlier. */
static bool remember(struct walk *w, const char *name, uint64_t value)
{
    size_t i = 0;
    while (i < w->n_known && strcmp(w->known[i].name, name) != 0) i++;
    if (i == sizeof w->known / sizeof *w->known) return false;
    w->known[i] = (struct outer){name, value};
    if (i == w->n_known) w->n_known++;
    return true;
}

/* The next wanted field of that name, if it has that type. */
static const struct want *take(struct walk *w, const char *name, const char *type)
{
    size_t i = 0;
    while (i < w->n_want && (w->used[i] || strcmp(w->want[i].name, name) != 0)) i++;
    if (i == w->n_want || strcmp(w->want[i].type, type) != 0) return NULL;
    w->used[i] = true;
    return &w->want[i];
}

static bool same(const struct want *want, struct view got)
{
    return want != NULL && want->n == got.n && (got.n == 0 || memcmp(want->at, got.at, got.n) == 0);
}

/* "list(n)": the word before the bracket, and the number that the word in it stands for. */
static bool parse(const struct walk *w, const char *type, char word[static TABLE_TEXT_MAX + 1],
                  uint64_t *argument)
{
    char inner[TABLE_TEXT_MAX + 1] = {0};
    const size_t n = strcspn(type, "(");
    memcpy(word, type, n);
    word[n] = 0;
    if (type[n] == 0) return true;
    const size_t m = strcspn(type + n + 1, ")");
    memcpy(inner, type + n + 1, m);
    return strcmp(type + n + 1 + m, ")") == 0 && lookup(w, inner, argument);
}

static bool walk_list(struct walk *w, const char *name, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t there = read_u8(&w->r);
        const struct view got = there == 1 ? read_blob(&w->r, SIZE_MAX) : (struct view){0};
        if (there > 1 || (there == 1) != (got.n > 0)) return false;
        if (!same(take(w, name, "list"), got)) return false;
    }
    return true;
}

static bool walk_bits(struct walk *w, const char *name, uint64_t n)
{
    if (read_u32(&w->r) != n) return false;
    const struct view got = read_view(&w->r, (n + 7) / 8);
    uint64_t count = 0;
    for (size_t i = 0; i < got.n; i++) count += (uint64_t)__builtin_popcount(got.at[i]);
    return same(take(w, name, "bits"), got) && remember(w, name, count);
}

/* The field's name, a space, the value, a newline. */
static bool walk_line(struct walk *w, const char *name)
{
    const struct view word = read_view(&w->r, strlen(name));
    if (word.n == 0 || memcmp(word.at, name, word.n) != 0 || read_u8(&w->r) != ' ') return false;
    const uint8_t *end = memchr(w->r.at, '\n', w->r.left);
    if (end == NULL) return false;
    const struct view value = read_view(&w->r, (size_t)(end - w->r.at));
    return same(take(w, name, "line"), value) && read_u8(&w->r) == '\n';
}

static bool walk_fixed(struct walk *w, const char *name, const char *type)
{
    const struct row *row = w->types->row;
    while (row < w->types->row + w->types->n && strcmp(row->cell[0], type) != 0) row++;
    if (row == w->types->row + w->types->n) return false;
    char *end = NULL;
    const size_t size = strtoul(row->cell[1], &end, 10);
    if (end == row->cell[1] || *end != 0) return false;
    const struct view got = read_view(&w->r, size);
    if (!same(take(w, name, type), got)) return false;
    uint64_t value = 0;
    for (size_t i = 0; i < got.n && got.n <= 8; i++) value |= (uint64_t)got.at[i] << (8 * i);
    return type[0] != 'u' || remember(w, name, value);
}

static bool walk_field(struct walk *w, const struct row *row)
{
    const char *name = row->cell[0];
    char type[TABLE_TEXT_MAX + 1];
    uint64_t n = 0;
    if (!parse(w, row->cell[1], type, &n)) return false;
    if (strcmp(type, "list") == 0) return walk_list(w, name, n);
    if (strcmp(type, "bits") == 0) return walk_bits(w, name, n);
    if (strcmp(type, "blob") == 0) return same(take(w, name, type), read_blob(&w->r, SIZE_MAX));
    if (strcmp(type, "bytes") == 0) return same(take(w, name, type), read_view(&w->r, n));
    if (strcmp(type, "rest") == 0) return same(take(w, name, type), read_view(&w->r, w->r.left));
    if (strcmp(type, "line") == 0) return walk_line(w, name);
    if (strcmp(type, "path") == 0) {
        const size_t nodes = read_u8(&w->r);
        return same(take(w, name, type), read_view(&w->r, 32 * nodes));
    }
    if (strcmp(type, "packed") == 0) { /* its size follows from the plan */
        const struct want *want = take(w, name, type);
        return want != NULL && same(want, read_view(&w->r, want->n));
    }
    return walk_fixed(w, name, type);
}

static bool walk_rows(struct walk *w, size_t from, size_t to, size_t depth);

/* The block from..to, as often as the row before it says. */
static bool walk_block(struct walk *w, const char *type, size_t from, size_t to, size_t depth)
{
    const size_t word = strcspn(type, " ");
    uint64_t times = 0;
    if (from == to || type[word] == 0 || !lookup(w, type + word + 1, &times)) return false;
    if (strncmp(type, "repeat", word) != 0) {
        if (times > 1) return false;
        if (strncmp(type, "unless", word) == 0) times = 1 - times;
    }
    for (uint64_t i = 0; i < times; i++)
        if (!walk_rows(w, from, to, depth)) return false;
    return true;
}

static bool is_block(const char *type)
{
    return strncmp(type, "repeat ", 7) == 0 || strncmp(type, "when ", 5) == 0 ||
           strncmp(type, "unless ", 7) == 0;
}

static bool walk_rows(struct walk *w, size_t from, size_t to, size_t depth)
{
    for (size_t i = from; i < to; i++) {
        const struct row *row = &w->table->row[i];
        if (row->depth != depth || w->r.bad) return false;
        if (!is_block(row->cell[1])) {
            if (!walk_field(w, row)) return false;
            continue;
        }
        size_t end = i + 1;
        while (end < to && w->table->row[end].depth > depth) end++;
        if (!walk_block(w, row->cell[1], i + 1, end, depth + 1)) return false;
        i = end - 1;
    }
    return true;
}

bool table_describes(const struct table *table, const struct table *types,
                     const struct outer *outer, struct view bytes, const struct want *want,
                     size_t n_want)
{
    struct walk w = {
        .table = table, .types = types, .r = reader_of(bytes), .want = want, .n_want = n_want};
    if (n_want > sizeof w.used) return false;
    for (; outer->name != NULL; outer++)
        if (!remember(&w, outer->name, outer->value)) return false;
    if (!walk_rows(&w, 0, table->n, 0) || reader_end(&w.r) != STATUS_OK) return false;
    for (size_t i = 0; i < n_want; i++)
        if (!w.used[i]) return false;
    return true;
}
