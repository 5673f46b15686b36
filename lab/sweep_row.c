/* SPDX-License-Identifier: Apache-2.0 */
/* One row: folder NNNN with study.yaml, manifest.json, simulate.log, result.json, status.json. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/build.h"
#include "lab/sweep.h"

#define RESULT_BYTES_MAX (256u << 20)
#define PART "result.json.part"
#define LOG "simulate.log"
/* Time for a simulation to take its files out of memory. */
#define STOP_MS 10000

enum exit_code sweep_fail(const char *what, enum status status)
{
    const int cause = errno;
    fprintf(stderr, "sweep: %s: %s\n", what,
            status == STATUS_IO && cause != 0 ? strerror(cause) : status_text(status));
    return EXIT_FAILED;
}

enum status run_folder(char out[static FILE_PATH_MAX], const struct sweep *sweep, uint32_t row)
{
    char name[16];
    (void)snprintf(name, sizeof name, "%04u", row + 1);
    return file_path(out, FILE_PATH_MAX, sweep->folder, name);
}

json_t *run_document(const char *folder, const char *name)
{
    char path[FILE_PATH_MAX];
    AUTO(buffer_free) struct buffer bytes = {0};
    if (file_path(path, sizeof path, folder, name) != STATUS_OK ||
        file_read(&bytes, path, RESULT_BYTES_MAX) != STATUS_OK)
        return NULL;
    return json_loadb((const char *)bytes.at, bytes.n, JSON_REJECT_DUPLICATES, NULL);
}

enum status run_write(const char *folder, const char *name, json_t *document)
{
    char path[FILE_PATH_MAX];
    char *text =
        document == NULL ? NULL : json_dumps(document, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    json_decref(document);
    if (text == NULL) return STATUS_NOMEM;
    enum status status = file_path(path, sizeof path, folder, name);
    if (status == STATUS_OK)
        status = file_write(path, (struct view){(const uint8_t *)text, strlen(text)}, 0644);
    free(text);
    return status;
}

enum row_state run_state(const char *folder)
{
    static const char *const names[] = {"running", "done", "failed"};
    json_t *document = run_document(folder, "status.json");
    const char *name = json_string_value(json_object_get(document, "state"));
    enum row_state state = ROW_WAITING;
    for (size_t i = 0; name != NULL && i < 3; i++)
        if (strcmp(name, names[i]) == 0) state = ROW_RUNNING + (enum row_state)i;
    json_decref(document);
    return state;
}

/* --- what the row is ---------------------------------------------------------------------------
 */

static json_t *number_or_text(const char *text)
{
    char *end = NULL;
    if (text == NULL) return json_null();
    const double x = strtod(text, &end);
    if (*text == 0 || *end != 0 || !isfinite(x) || fabs(x) > 0x1p53) return json_string(text);
    return text[strspn(text, "0123456789")] == 0 ? json_integer((json_int_t)x) : json_real(x);
}

static json_t *real_or_inf(double x)
{
    return isfinite(x) ? json_real(x) : json_string(".inf");
}

/* Of each axis; where the grid left it to the study, what that says. study: NULL where the row
 * cannot be one. */
static json_t *parameters_of(const struct sweep *s, const struct row *row,
                             const struct study *study)
{
    json_t *all = json_object();
    for (uint32_t a = 0; a < s->n_axes; a++)
        (void)json_object_set_new(all, s->axis[a].name, number_or_text(row->value[a]));
    (void)json_object_set_new(all, "study",
                              json_string(s->study[strtoul(row->value[AXIS_STUDY], NULL, 10)]));
    if (study == NULL) return all;
    const bool pruned = study->pruning.mode != STUDY_PRUNING_NONE;
    (void)json_object_set_new(all, "epsilon", real_or_inf(study->privacy.epsilon));
    (void)json_object_set_new(all, "unit", json_string(study_unit_name(study->privacy.unit)));
    (void)json_object_set_new(all, "sites", json_integer(study->sites.expected));
    (void)json_object_set_new(all, "pruned", json_real(pruned ? study->pruning.units : 0));
    (void)json_object_set_new(all, "bits", json_integer(study->secagg.bits));
    return all;
}

static json_t *arguments_of(const struct sweep *s, const struct row *row)
{
    const char *const *value = row->value;
    json_t *all =
        json_pack("[s, s, s, s, s, s, s, s, s, s]", "--method",
                  grid_simulate_method(value[AXIS_METHOD]), "--partition", value[AXIS_PARTITION],
                  "--dropout", value[AXIS_DROPOUT], "--seed", value[AXIS_SEED], "--threads", "1");
    for (size_t i = 0; i < s->n_arguments; i++)
        (void)json_array_append_new(all, json_string(s->argument[i]));
    return all;
}

static json_t *manifest_of(const struct sweep *s, uint32_t number, const struct study *study,
                           struct view text)
{
    const struct row *row = &s->row[number];
    char run[16], hex[2 * HASH_BYTES + 1] = "";
    (void)snprintf(run, sizeof run, "%04u", number + 1);
    if (study != NULL) hash_hex(hex, &study->hash, HASH_BYTES);
    json_t *m =
        json_pack("{s:i, s:s, s:o, s:o}", "schema_version", 1, "run", run, "parameters",
                  parameters_of(s, row, study), "seed", number_or_text(row->value[AXIS_SEED]));
    json_t *build = build_json();
    (void)json_object_update(m, build);
    json_decref(build);
    (void)json_object_set_new(m, "study_file", json_string("study.yaml"));
    (void)json_object_set_new(m, "study_hash", study == NULL ? json_null() : json_string(hex));
    (void)json_object_set_new(
        m, "study_text", study == NULL ? json_null() : json_stringn((const char *)text.at, text.n));
    (void)json_object_set_new(m, "data_hash", json_null());
    (void)json_object_set_new(m, "test_hash", json_null());
    (void)json_object_set_new(m, "initial_hash", json_null());
    (void)json_object_set_new(m, "arguments", arguments_of(s, row));
    return m;
}

/* --- its process -------------------------------------------------------------------------------
 */

enum status run_start(struct process *out, const char *folder, const char *const *argument,
                      size_t n)
{
    static const char *const first[] = {"/proc/self/exe", "simulate", "--study",
                                        "study.yaml",     "--format", "json"};
    enum { FIRST = sizeof first / sizeof *first };
    char *argv[FIRST + SWEEP_ARGUMENTS_MAX + 1] = {0};
    REQUIRE(n <= SWEEP_ARGUMENTS_MAX);
    for (size_t i = 0; i < FIRST + n; i++)
        argv[i] = (char *)(uintptr_t)(i < FIRST ? first[i] : argument[i - FIRST]);
    return process_start_in(out, argv, folder, PART, LOG);
}

json_t *run_result(const char *folder)
{
    return run_document(folder, PART);
}

void run_said(char *why, size_t n, const char *folder)
{
    char path[FILE_PATH_MAX];
    AUTO(buffer_free) struct buffer log = {0};
    if (file_path(path, sizeof path, folder, LOG) != STATUS_OK ||
        file_read(&log, path, 1u << 20) != STATUS_OK)
        return;
    size_t end = log.n;
    while (end > 0 && log.at[end - 1] == '\n') end--;
    size_t begin = end;
    while (begin > 0 && log.at[begin - 1] != '\n') begin--;
    if (end > begin) (void)snprintf(why, n, "%.*s", (int)(end - begin), log.at + begin);
}

static enum status write_status(const struct job *job, const char *state, int code, const char *why)
{
    const double seconds = (double)(command_now_ms() - job->begun_ms) / 1e3;
    return run_write(job->folder, "status.json",
                     json_pack("{s:s, s:i, s:o, s:f}", "state", state, "exit", code, "why",
                               why == NULL ? json_null() : json_string(why), "seconds", seconds));
}

static void forget(const struct job *job, const char *name)
{
    char path[FILE_PATH_MAX];
    if (file_path(path, sizeof path, job->folder, name) == STATUS_OK) (void)unlink(path);
}

static enum status start(struct job *job)
{
    const char *argument[SWEEP_ARGUMENTS_MAX];
    const json_t *list = json_object_get(job->manifest, "arguments");
    const size_t n = json_array_size(list);
    REQUIRE(n <= SWEEP_ARGUMENTS_MAX);
    for (size_t i = 0; i < n; i++) argument[i] = json_string_value(json_array_get(list, i));
    return run_start(&job->process, job->folder, argument, n);
}

enum status job_begin(struct job *job, const struct sweep *s, uint32_t row)
{
    static const char *const old[] = {"status.json", "result.json", PART, LOG, "study.yaml"};
    struct study study;
    struct settings_error why = {0};
    AUTO(buffer_free) struct buffer text = {0};
    char path[FILE_PATH_MAX];
    *job = (struct job){.row = row, .process = {.out = -1}, .begun_ms = command_now_ms()};
    TRY(run_folder(job->folder, s, row));
    if (mkdir(job->folder, 0755) != 0 && errno != EEXIST) return STATUS_IO;
    for (size_t i = 0; i < sizeof old / sizeof *old; i++) forget(job, old[i]);
    TRY(write_status(job, "running", 0, NULL));
    const enum status status = grid_study(&study, s, &s->row[row], &why);
    if (status == STATUS_NOMEM) return status;
    const bool possible = status == STATUS_OK;
    if (possible) study_write(&text, &study);
    TRY(text.status);
    TRY(file_path(path, sizeof path, job->folder, "study.yaml"));
    if (possible) TRY(file_write(path, buffer_view(&text), 0644));
    job->manifest = manifest_of(s, row, possible ? &study : NULL, buffer_view(&text));
    TRY(run_write(job->folder, "manifest.json", json_incref(job->manifest)));
    if (possible) return start(job);
    return write_status(job, "failed", EXIT_REFUSED, why.text);
}

/* Keep the document, and what it says of the files that it was made from. */
static enum status keep_result(struct job *job, json_t *result)
{
    static const char *const key[] = {"data_hash", "test_hash", "initial_hash"};
    for (size_t i = 0; i < sizeof key / sizeof *key; i++)
        (void)json_object_set(job->manifest, key[i], json_object_get(result, key[i]));
    TRY(run_write(job->folder, "manifest.json", json_incref(job->manifest)));
    char part[FILE_PATH_MAX], whole[FILE_PATH_MAX];
    AUTO(buffer_free) struct buffer bytes = {0};
    TRY(file_path(part, sizeof part, job->folder, PART));
    TRY(file_path(whole, sizeof whole, job->folder, "result.json"));
    TRY(file_read(&bytes, part, RESULT_BYTES_MAX));
    TRY(file_write(whole, buffer_view(&bytes), 0644));
    forget(job, PART);
    return STATUS_OK;
}

static enum status end(struct job *job, int how)
{
    char why[RUN_WHY_MAX] = "";
    json_t *result = run_result(job->folder);
    const int code = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    if (code == 0 && result == NULL) { /* no fault of the row */
        fprintf(stderr, "sweep: %s/" PART " is cut short: is the disk full?\n", job->folder);
        return STATUS_IO;
    }
    enum status status = result == NULL ? STATUS_OK : keep_result(job, result);
    if (WIFSIGNALED(how))
        (void)snprintf(why, sizeof why, "killed by signal %d", WTERMSIG(how));
    else if (code != 0) {
        (void)snprintf(why, sizeof why, "it ended with exit code %d", code);
        run_said(why, sizeof why, job->folder);
    }
    json_decref(result);
    TRY(status);
    return code == 0 ? write_status(job, "done", 0, NULL) : write_status(job, "failed", code, why);
}

enum status job_poll(struct job *job, bool *over)
{
    const bool possible = job->process.pid != 0;
    *over = process_ended(&job->process);
    /* what a signal to all of us ended is begun anew */
    return *over && possible && !command_stopped() ? end(job, job->process.status) : STATUS_OK;
}

void job_stop(struct job *job)
{
    process_end(&job->process, STOP_MS);
    json_decref(job->manifest);
    job->manifest = NULL;
}
