/* SPDX-License-Identifier: Apache-2.0 */
/* The two files of all rows: sweep.json, what was asked; results.csv, what came of it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lab/sweep.h"

static json_t *grid_of(const struct sweep *s)
{
    json_t *grid = json_object();
    for (uint32_t a = 0; a < s->n_axes; a++) {
        const struct axis *axis = &s->axis[a];
        json_t *values = json_array();
        for (uint32_t i = 0; i < axis->n; i++)
            (void)json_array_append_new(
                values, json_string(a == AXIS_STUDY ? s->study[i] : axis->value[i]));
        (void)json_object_set_new(grid, axis->name, values);
    }
    return grid;
}

static json_t *asked_of(const struct sweep *s)
{
    json_t *studies = json_array(), *arguments = json_array();
    for (uint32_t i = 0; i < s->n_studies; i++)
        (void)json_array_append_new(
            studies, json_pack("{s:s, s:o}", "file", s->study[i], "text",
                               json_stringn((const char *)s->text[i].at, s->text[i].n)));
    for (size_t i = 0; i < s->n_arguments; i++)
        (void)json_array_append_new(arguments, json_string(s->argument[i]));
    return json_pack("{s:i, s:s, s:o, s:o, s:o, s:i}", "schema_version", 1, "version",
                     VEILSUM_VERSION, "studies", studies, "arguments", arguments, "grid",
                     grid_of(s), "rows", (int)s->n_rows);
}

/* The first member that differs, with both; whether there is one. */
static bool tell_difference(const json_t *was, json_t *is, const char *path)
{
    const char *key;
    json_t *now;
    json_object_foreach(is, key, now)
    {
        const json_t *then = json_object_get(was, key);
        char place[128];
        (void)snprintf(place, sizeof place, "%s%s", path, key);
        if (strcmp(place, "version") == 0 || json_equal(then, now)) continue;
        if (json_is_object(now) && json_is_object(then)) {
            (void)strncat(place, ".", sizeof place - strlen(place) - 1);
            if (tell_difference(then, now, place)) return true;
        }
        char *old = then == NULL ? NULL : json_dumps(then, JSON_ENCODE_ANY);
        char *new = json_dumps(now, JSON_ENCODE_ANY);
        fprintf(stderr,
                "sweep: %s was %.400s and is %.400s: take another folder, or the file as "
                "it was\n",
                place, old == NULL ? "not there" : old, new == NULL ? "?" : new);
        free(old);
        free(new);
        return true;
    }
    return false;
}

static enum exit_code agree(const struct sweep *s)
{
    char path[FILE_PATH_MAX];
    struct stat info;
    json_t *is = asked_of(s), *was = run_document(s->folder, "sweep.json");
    enum exit_code code = EXIT_OK;
    const bool there = file_path(path, sizeof path, s->folder, "sweep.json") == STATUS_OK &&
                       stat(path, &info) == 0;
    if (there && was == NULL) {
        fprintf(stderr, "sweep: %s is no sweep's\n", path);
        code = EXIT_USAGE;
    } else if (there) {
        code = tell_difference(was, is, "") ? EXIT_USAGE : EXIT_OK;
    } else {
        const enum status status = run_write(s->folder, "sweep.json", json_incref(is));
        if (status != STATUS_OK) code = sweep_fail(path, status);
    }
    json_decref(was);
    json_decref(is);
    return code;
}

/* Nobody else runs rows in this folder while it is open. */
static enum exit_code take_folder(struct sweep *s)
{
    if (mkdir(s->folder, 0755) != 0 && errno != EEXIST) return sweep_fail(s->folder, STATUS_IO);
    s->lock = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->lock < 0) return sweep_fail(s->folder, STATUS_IO);
    if (flock(s->lock, LOCK_EX | LOCK_NB) == 0) return EXIT_OK;
    fprintf(stderr, "sweep: another sweep is at work in %s\n", s->folder);
    return EXIT_USAGE;
}

enum exit_code book_open(struct sweep *s, bool retry)
{
    enum exit_code code = take_folder(s);
    if (code == EXIT_OK) code = agree(s);
    for (uint32_t i = 0; i < s->n_rows && code == EXIT_OK; i++) {
        char folder[FILE_PATH_MAX];
        if (run_folder(folder, s, i) != STATUS_OK) return sweep_fail(s->folder, STATUS_RANGE);
        const enum row_state state = run_state(folder);
        if (state != ROW_DONE && (state != ROW_FAILED || retry)) continue;
        const enum status status = book_enter(s, i);
        if (status != STATUS_OK) code = sweep_fail(folder, status);
    }
    return code;
}

/* --- results.csv -------------------------------------------------------------------------------
 */

/* Where a measure is in simulate's document. */
static const struct {
    const char *name, *path[3];
} measures[] = {
    {"accuracy", {"result", "accuracy"}},
    {"balanced", {"result", "balanced"}},
    {"auc", {"result", "auc"}},
    {"loss", {"result", "loss"}},
    {"accuracy_least", {"result", "accuracy_least"}},
    {"accuracy_most", {"result", "accuracy_most"}},
    {"spent_server", {"privacy", "spent", "server"}},
    {"spent_server_and_colluding_sites", {"privacy", "spent", "server_and_colluding_sites"}},
    {"limit_server_and_colluding_sites", {"privacy", "limit", "server_and_colluding_sites"}},
    {"bytes_up_per_site", {"bytes_per_site", "up"}},
    {"bytes_down_per_site", {"bytes_per_site", "down"}},
    {"macs_share", {"macs", "share"}},
    {"parameters", {"parameters"}},
    {"data_hash", {"data_hash"}},
    {"initial_hash", {"initial_hash"}},
};

static void put_field(FILE *out, const json_t *value)
{
    const char *text = json_string_value(value);
    if (json_is_integer(value)) fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (json_is_real(value)) fprintf(out, "%.10g", json_real_value(value));
    if (text == NULL) return;
    const bool quoted = text[strcspn(text, ",\"\n\r")] != 0;
    if (quoted) fputc('"', out);
    for (; *text != 0; text++) {
        if (*text == '"') fputc('"', out);
        fputc(*text, out);
    }
    if (quoted) fputc('"', out);
}

static void put_line(FILE *out, const struct sweep *s, const char *folder)
{
    json_t *status = run_document(folder, "status.json");
    json_t *manifest = run_document(folder, "manifest.json");
    json_t *result = run_document(folder, "result.json");
    put_field(out, json_object_get(manifest, "run"));
    static const char *const own[] = {"state", "exit", "why", "seconds"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        fputc(',', out);
        put_field(out, json_object_get(status, own[i]));
    }
    for (uint32_t a = 0; a < s->n_axes; a++) {
        fputc(',', out);
        put_field(out, json_object_get(json_object_get(manifest, "parameters"), s->axis[a].name));
    }
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
        const json_t *at = result;
        for (size_t k = 0; k < 3 && measures[i].path[k] != NULL; k++)
            at = json_object_get(at, measures[i].path[k]);
        fputc(',', out);
        put_field(out, at);
    }
    fputc('\n', out);
    json_decref(status);
    json_decref(manifest);
    json_decref(result);
}

enum status book_enter(struct sweep *s, uint32_t number)
{
    char folder[FILE_PATH_MAX];
    struct row *row = &s->row[number];
    size_t n = 0;
    TRY(run_folder(folder, s, number));
    row->state = run_state(folder);
    free(row->line);
    row->line = NULL;
    FILE *out = open_memstream(&row->line, &n);
    if (out == NULL) return STATUS_NOMEM;
    put_line(out, s, folder);
    return fclose(out) == 0 ? STATUS_OK : STATUS_NOMEM;
}

enum status book_write(const struct sweep *s)
{
    char path[FILE_PATH_MAX], *text = NULL;
    size_t n = 0;
    TRY(file_path(path, sizeof path, s->folder, "results.csv"));
    FILE *out = open_memstream(&text, &n);
    if (out == NULL) return STATUS_NOMEM;
    fprintf(out, "run,state,exit,why,seconds");
    for (uint32_t a = 0; a < s->n_axes; a++) fprintf(out, ",%s", s->axis[a].name);
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++)
        fprintf(out, ",%s", measures[i].name);
    fputc('\n', out);
    for (uint32_t i = 0; i < s->n_rows; i++)
        if (s->row[i].line != NULL) fprintf(out, "%s", s->row[i].line);
    enum status status = fclose(out) == 0 ? STATUS_OK : STATUS_NOMEM;
    if (status == STATUS_OK)
        status = file_write(path, (struct view){(const uint8_t *)text, n}, 0644);
    free(text);
    return status;
}
