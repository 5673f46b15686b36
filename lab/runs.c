/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/runs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

void runs_free(struct runs *runs)
{
    for (size_t i = 0; i < runs->n; i++) {
        json_decref(runs->run[i].settings);
        free(runs->run[i].curve);
        free(runs->run[i].site);
        free(runs->run[i].held);
    }
    free(runs->run);
    *runs = (struct runs){0};
}

struct documents {
    json_t *of[RUN_DOCUMENTS];
};

static void free_documents(struct documents *documents)
{
    for (size_t i = 0; i < RUN_DOCUMENTS; i++) document_free(&documents->of[i]);
}

/* A document of a run's folder: NULL when there is none. An audit that cannot be read does not make
 * the run so. */
static enum status read_part(json_t **out, struct run *run, const char *folder,
                             enum run_document which)
{
    static const char *const names[RUN_DOCUMENTS] = {"manifest.json", "status.json", "result.json",
                                                     "mia.json", "canary.json"};
    char path[FILE_PATH_MAX], part[64];
    (void)snprintf(part, sizeof part, "%s/%s", run->name, names[which]);
    TRY(file_path(path, sizeof path, folder, part));
    const enum status status = document_read(out, path);
    if ((status == STATUS_FORMAT || status == STATUS_RANGE) && which <= RUN_RESULT)
        (void)snprintf(run->why, sizeof run->why, "%s is %s", names[which],
                       status == STATUS_RANGE ? "too large to be read" : "no JSON object");
    return status == STATUS_NOMEM ? status : STATUS_OK;
}

static enum status read_run(struct run *run, const char *folder)
{
    AUTO(free_documents) struct documents all = {0};
    for (enum run_document i = 0; i < RUN_DOCUMENTS; i++)
        TRY(read_part(&all.of[i], run, folder, i));
    return runs_fill(run, all.of);
}

static int is_run(const struct dirent *entry)
{
    const size_t n = strlen(entry->d_name);
    return n >= 4 && n <= 8 && strspn(entry->d_name, "0123456789") == n;
}

static enum status read_all(struct runs *runs, const char *folder, struct dirent **entry, size_t n)
{
    if (n == 0) return STATUS_FORMAT;
    if (n > RUNS_MAX) return STATUS_RANGE;
    runs->run = calloc(n, sizeof *runs->run);
    if (runs->run == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct run *run = &runs->run[runs->n++];
        (void)snprintf(run->name, sizeof run->name, "%.8s", entry[i]->d_name);
        TRY(read_run(run, folder));
    }
    return runs_compare(runs);
}

enum status runs_read(struct runs *out, const char *folder)
{
    AUTO(runs_free) struct runs runs = {0};
    struct dirent **entry = NULL;
    const int n = scandir(folder, &entry, is_run, alphasort);
    if (n < 0) return STATUS_IO;
    const enum status status = read_all(&runs, folder, entry, (size_t)n);
    for (int i = 0; i < n; i++) free(entry[i]);
    free(entry);
    TRY(status);
    *out = runs;
    runs = (struct runs){0};
    return STATUS_OK;
}

/* A setting as words; whether it fits in out[n]. */
static bool setting_text(char *out, size_t n, const json_t *value)
{
    int length = -1;
    if (json_is_string(value) && strcmp(json_string_value(value), ".inf") == 0)
        length = snprintf(out, n, "\xE2\x88\x9E");
    else if (json_is_string(value))
        length = snprintf(out, n, "%s", json_string_value(value));
    else if (json_is_number(value))
        length = snprintf(out, n, "%.10g", json_number_value(value));
    else if (json_is_boolean(value))
        length = snprintf(out, n, "%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_null(value))
        length = snprintf(out, n, "-");
    return length >= 0 && (size_t)length < n;
}

static bool is_listed(const struct runs *runs, const char *key)
{
    for (size_t i = 0; i < runs->n_varying; i++)
        if (strcmp(runs->varying[i], key) == 0) return true;
    return false;
}

static void note_differences(struct runs *runs, json_t *a, const json_t *b)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(a, key, value)
    {
        if (strlen(key) >= sizeof runs->varying[0] || runs->n_varying == RUNS_SETTINGS_MAX)
            continue;
        if (json_equal(value, json_object_get(b, key)) || is_listed(runs, key)) continue;
        (void)snprintf(runs->varying[runs->n_varying++], sizeof runs->varying[0], "%s", key);
    }
}

/* Append to a label of which n bytes are used; RUNS_LABEL_MAX when it does not fit. */
static size_t append(char *out, size_t n, const char *key, const char *value)
{
    if (n >= RUNS_LABEL_MAX) return n;
    const int more = snprintf(out + n, RUNS_LABEL_MAX - n, "%s%s%s%s", n > 0 ? ", " : "", key,
                              *key != 0 ? " " : "", value);
    return more < 0 ? RUNS_LABEL_MAX : n + (size_t)more;
}

void runs_label(char out[static RUNS_LABEL_MAX], const struct runs *runs, const struct run *run,
                const char *but)
{
    size_t n = append(out, 0, "", run->method[0] == 0 ? "method not known" : run->method);
    for (size_t i = 0; i < runs->n_varying; i++) {
        const char *key = runs->varying[i];
        char value[RUNS_LABEL_MAX];
        if (strcmp(key, "seed") == 0 || strcmp(key, "method") == 0 ||
            (but != NULL && strcmp(key, but) == 0))
            continue;
        const json_t *setting = json_object_get(run->settings, key);
        if (setting == NULL) continue;
        n = setting_text(value, sizeof value, setting) ? append(out, n, key, value)
                                                       : RUNS_LABEL_MAX;
    }
    if (n >= RUNS_LABEL_MAX) (void)snprintf(out, RUNS_LABEL_MAX, "run %s", run->name);
}

/* --- runs that are alike -----------------------------------------------------------------------
 */

/* One text of a run, for sorting. */
struct said {
    const char *text;
    size_t run;
};

static int compare_said(const void *a, const void *b)
{
    const struct said *p = a, *q = b;
    const int order = strcmp(p->text, q->text);
    return order != 0 ? order : p->run < q->run ? -1 : 1;
}

static void free_said(struct said **said)
{
    free(*said);
}

/* All runs by one of their texts, and by their places where it is the same. NULL: no memory. */
static struct said *sorted_by(const struct runs *runs, size_t offset)
{
    struct said *said = calloc(runs->n + 1, sizeof *said);
    for (size_t i = 0; i < runs->n && said != NULL; i++)
        said[i] = (struct said){(const char *)&runs->run[i] + offset, i};
    if (said != NULL) qsort(said, runs->n, sizeof *said, compare_said);
    return said;
}

static bool is_same(const struct said *said, size_t i)
{
    return i > 0 && strcmp(said[i].text, said[i - 1].text) == 0;
}

/* Whether runs of one method differ in it; else the method's name says it already. */
static bool varies_by_itself(const struct runs *runs, const struct said *methods, const char *key)
{
    for (size_t i = 1; i < runs->n; i++) {
        if (!is_same(methods, i)) continue;
        const json_t *a = json_object_get(runs->run[methods[i].run].settings, key);
        const json_t *b = json_object_get(runs->run[methods[i - 1].run].settings, key);
        if (a != b && !json_equal(a, b)) return true;
    }
    return false;
}

static enum status forget_what_methods_say(struct runs *runs)
{
    AUTO(free_said) struct said *methods = sorted_by(runs, offsetof(struct run, method));
    size_t n = 0;
    if (methods == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < runs->n_varying; i++)
        if (varies_by_itself(runs, methods, runs->varying[i]))
            memmove(runs->varying[n++], runs->varying[i], sizeof runs->varying[i]);
    runs->n_varying = n;
    return STATUS_OK;
}

static enum status find_cells(struct runs *runs)
{
    AUTO(free_said) struct said *labels = sorted_by(runs, offsetof(struct run, label));
    if (labels == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < runs->n; i++) {
        struct run *run = &runs->run[labels[i].run];
        run->cell = labels[i].run;
        run->again = 0;
        if (!is_same(labels, i)) continue;
        struct run *before = &runs->run[labels[i - 1].run];
        run->cell = before->cell;
        before->again = labels[i].run;
    }
    return STATUS_OK;
}

/* Numbered as they come, by runs' places. */
static enum status find_kinds(struct runs *runs)
{
    AUTO(free_said) struct said *frames = sorted_by(runs, offsetof(struct run, frame));
    if (frames == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < runs->n; i++) /* the first run with that frame, for now */
        runs->run[frames[i].run].kind =
            is_same(frames, i) ? runs->run[frames[i - 1].run].kind : frames[i].run;
    runs->n_kinds = 0;
    for (size_t i = 0; i < runs->n; i++) {
        struct run *run = &runs->run[i];
        run->kind = run->frame[0] == 0 ? 0
                    : run->kind == i   ? ++runs->n_kinds
                                       : runs->run[run->kind].kind;
    }
    return STATUS_OK;
}

enum status runs_compare(struct runs *runs)
{
    runs->n_varying = 0;
    json_t *first = NULL;
    for (size_t i = 0; i < runs->n; i++) {
        json_t *settings = runs->run[i].settings;
        if (settings == NULL) continue;
        if (first == NULL) first = settings;
        note_differences(runs, first, settings);
        note_differences(runs, settings, first);
    }
    TRY(forget_what_methods_say(runs));
    for (size_t i = 0; i < runs->n; i++) runs_label(runs->run[i].label, runs, &runs->run[i], NULL);
    TRY(find_cells(runs));
    return find_kinds(runs);
}
