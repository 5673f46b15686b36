/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab rerun: a row of a sweep once more, from its manifest, and whether it gives the same
 * bits. Times are no part of that, nor is the way that messages took. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/option.h"
#include "lab/build.h"
#include "lab/commands.h"
#include "lab/folder.h"
#include "lab/sweep.h"

struct rerun {
    const char *path;           /* of the manifest */
    char folder[FILE_PATH_MAX]; /* where it runs */
    json_t *manifest, *was, *is;
};

static void rerun_free(struct rerun *r)
{
    json_decref(r->manifest);
    json_decref(r->was);
    json_decref(r->is);
    if (r->folder[0] != 0) folder_remove(r->folder);
}

__attribute__((format(printf, 2, 3))) static enum exit_code refuse(enum exit_code code,
                                                                   const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "rerun: ");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    return code;
}

/* --- what is compared --------------------------------------------------------------------------
 */

static void drop_course(json_t *document)
{
    size_t i;
    json_t *round;
    (void)json_object_del(document, "seconds");
    (void)json_object_del(document, "processor_seconds");
    (void)json_object_del(document, "real");
    json_array_foreach(json_object_get(document, "rounds"), i, round)(void)
        json_object_del(round, "seconds");
}

/* Put where two documents first differ into path, with both values; false where they do not. */
static bool differs(char *path, size_t n, const json_t *a, const json_t *b)
{
    const size_t used = strlen(path);
    const char *key;
    json_t *value;
    size_t i;
    if (json_equal(a, b)) return false;
    if (json_is_object(a) && json_is_object(b)) {
        json_object_foreach((json_t *)(uintptr_t)a, key, value)
        {
            (void)snprintf(path + used, n - used, "%s%s", used == 0 ? "" : ".", key);
            if (differs(path, n, value, json_object_get(b, key))) return true;
        }
    }
    if (json_is_array(a) && json_is_array(b) && json_array_size(a) == json_array_size(b)) {
        json_array_foreach(a, i, value)
        {
            (void)snprintf(path + used, n - used, "[%zu]", i);
            if (differs(path, n, value, json_array_get(b, i))) return true;
        }
    }
    char *was = a == NULL ? NULL : json_dumps(a, JSON_ENCODE_ANY | JSON_COMPACT);
    char *is = b == NULL ? NULL : json_dumps(b, JSON_ENCODE_ANY | JSON_COMPACT);
    path[used] = 0;
    (void)snprintf(path + used, n - used, ": was %.60s, is %.60s", was == NULL ? "absent" : was,
                   is == NULL ? "absent" : is);
    free(was);
    free(is);
    return true;
}

/* Whether a file had other contents then. */
static bool tell_file(const struct rerun *r, const char *what, const char *hash)
{
    if (json_equal(json_object_get(r->manifest, hash), json_object_get(r->is, hash))) return false;
    printf("  other %s: %s differs\n", what, hash);
    return true;
}

/* What else differs that could be why. */
static bool tell_causes(const struct rerun *r)
{
    bool found = false;
    json_t *build = build_json(), *now;
    const char *key;
    json_object_foreach(build, key, now)
    {
        char path[400];
        (void)snprintf(path, sizeof path, "%s", key);
        if (!differs(path, sizeof path, json_object_get(r->manifest, key), now)) continue;
        printf("  another %s\n", path);
        found = true;
    }
    json_decref(build);
    found |= tell_file(r, "data", "data_hash");
    found |= tell_file(r, "data", "test_hash");
    /* weights that the seed draws come from no file: they are a part of what is compared */
    if (json_is_string(json_object_get(r->is, "initial")))
        found |= tell_file(r, "initial weights", "initial_hash");
    return found;
}

static enum exit_code compare(const struct rerun *r)
{
    char where[600] = "";
    drop_course(r->was);
    drop_course(r->is);
    if (!differs(where, sizeof where, r->was, r->is) && json_equal(r->was, r->is)) {
        printf("identical: all that result.json says but the times\n");
        return EXIT_OK;
    }
    printf("different: %s\n", where[0] == 0 ? "the run says more than result.json" : where);
    if (tell_causes(r)) {
        printf("so this does not say that the result is wrong\n");
        return EXIT_FAILED;
    }
    printf(
        "the same build, study, data, weights and seed: result.json is not what this run gives\n");
    return EXIT_VERIFY;
}

/* --- the run -----------------------------------------------------------------------------------
 */

static enum exit_code read_files(struct rerun *r)
{
    char copy[FILE_PATH_MAX], name[FILE_PATH_MAX];
    if (strlen(r->path) >= sizeof copy) return refuse(EXIT_USAGE, "the path is too long");
    memcpy(copy, r->path, strlen(r->path) + 1);
    memcpy(name, r->path, strlen(r->path) + 1);
    const char *folder = dirname(copy);
    r->manifest = run_document(folder, basename(name));
    const json_t *text = json_object_get(r->manifest, "study_text");
    const json_t *hash = json_object_get(r->manifest, "study_hash");
    if (!json_is_array(json_object_get(r->manifest, "arguments")))
        return refuse(EXIT_USAGE, "%s is no manifest of a run", r->path);
    if (!json_is_string(text))
        return refuse(EXIT_DATA, "the run had no study, so it did not begin; its status.json says "
                                 "why");
    const struct view bytes = {(const uint8_t *)json_string_value(text), json_string_length(text)};
    const struct hash is = hash_of("study", bytes);
    char hex[2 * HASH_BYTES + 1];
    hash_hex(hex, &is, HASH_BYTES);
    if (!json_is_string(hash) || strcmp(json_string_value(hash), hex) != 0)
        return refuse(EXIT_VERIFY, "the manifest was changed: its study has not the hash that it "
                                   "names");
    r->was = run_document(folder, "result.json");
    if (r->was == NULL)
        return refuse(EXIT_DATA, "there is no result.json beside it to compare with");
    return EXIT_OK;
}

static enum status play(struct rerun *r, const char **argument, size_t n)
{
    char path[FILE_PATH_MAX];
    struct process process = {.out = -1};
    const json_t *text = json_object_get(r->manifest, "study_text");
    const struct view bytes = {(const uint8_t *)json_string_value(text), json_string_length(text)};
    TRY(folder_new(r->folder, folder_parent(), "veilsum-rerun"));
    TRY(file_path(path, sizeof path, r->folder, "study.yaml"));
    TRY(file_write(path, bytes, 0644));
    TRY(run_start(&process, r->folder, argument, n));
    while (!process_ended(&process) && !command_stopped())
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    process_end(&process, 10000);
    r->is = run_result(r->folder);
    return STATUS_OK;
}

static enum exit_code run(struct rerun *r)
{
    const char *argument[SWEEP_ARGUMENTS_MAX];
    const json_t *list = json_object_get(r->manifest, "arguments");
    const size_t n = json_array_size(list);
    for (size_t i = 0; i < n && n <= SWEEP_ARGUMENTS_MAX; i++)
        argument[i] = json_string_value(json_array_get(list, i));
    for (size_t i = 0; i < n && n <= SWEEP_ARGUMENTS_MAX; i++)
        if (argument[i] == NULL) return refuse(EXIT_USAGE, "an argument is no text");
    if (n > SWEEP_ARGUMENTS_MAX) return refuse(EXIT_USAGE, "too many arguments");
    const enum status status = play(r, argument, n);
    if (status != STATUS_OK) return sweep_fail(r->folder, status);
    if (command_stopped()) return refuse(EXIT_FAILED, "stopped by a signal");
    if (r->is != NULL) return compare(r);
    char why[RUN_WHY_MAX] = "it said nothing";
    run_said(why, sizeof why, r->folder);
    return refuse(EXIT_DATA, "the run gave no result: %s", why);
}

enum exit_code rerun_command(int argc, char **argv)
{
    static const char doc[] =
        "Run a row of a sweep again, from its manifest.json, and compare with the result.json "
        "beside it, all but the times.\v"
        "Exit codes: 0 identical; 6 different, with the same build, study, data, weights and seed, "
        "or the manifest contradicts itself; 1 different, and what may be why; 7 there is nothing "
        "to "
        "compare.\n";
    AUTO(rerun_free) struct rerun r = {0};
    const struct option_row row[] = {{NULL, "MANIFEST", .needed = true, .text = &r.path}, {0}};
    option_read(&(struct option_table){.row = row, .doc = doc}, argc, argv);
    command_catch_stop();
    const enum exit_code code = read_files(&r);
    return code == EXIT_OK ? run(&r) : code;
}
