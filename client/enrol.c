/* SPDX-License-Identifier: Apache-2.0 */
/* Before a site takes part: its keys, and what it pins. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "client/main_step.h"

/* Of pin. */
struct arguments {
    const char *folder, *manifest, *study, *policy;
};

static enum status store(const char *folder, const char *name, struct view bytes, unsigned mode)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, folder, name));
    return file_write(path, bytes, mode);
}

static void print_fingerprint(const char *what, const struct hash *hash)
{
    char hex[2 * HASH_BYTES + 1];
    hash_hex(hex, hash, HASH_BYTES);
    printf("%s %s\n", what, hex);
}

enum exit_code enrol_keygen(int argc, char **argv)
{
    const char *folder = NULL, *name = NULL;
    const struct option_row row[] = {
        main_dir(&folder),
        {"name", "NAME", "The site's name: a-z, 0-9 and -", 'n', .needed = true, .text = &name},
        {0}};
    option_read(&(struct option_table){.row = row,
                                       .doc = "Make a site's keys and a request to be enrolled."},
                argc, argv);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) return command_fail(folder, STATUS_IO);
    AUTO(rng_wipe) struct rng rng = {0};
    rng_system(&rng);
    AUTO(keyfile_wipe) struct keyfile key = {0};
    enum status status = keyfile_make(&key, name, &rng);
    if (status != STATUS_OK) return command_fail(name, status);
    char path[FILE_PATH_MAX];
    status = file_path(path, sizeof path, folder, "key");
    if (status == STATUS_OK) status = keyfile_write(&key, path);
    if (status != STATUS_OK)
        return command_fail("the key file exists or cannot be written", status);
    AUTO(buffer_free) struct buffer request = {0};
    request_write(&request, &key, mask_available(MASK_AES256_CTR));
    status = request.status == STATUS_OK ? store(folder, "request", buffer_view(&request), 0644)
                                         : request.status;
    if (status != STATUS_OK) return command_fail("request", status);
    printf("wrote %s/key (secret: it never leaves this machine)\n", folder);
    printf("wrote %s/request: send it to the coordinator\n", folder);
    struct hash hash = hash_of("request", buffer_view(&request));
    print_fingerprint("fingerprint, to be compared by phone:", &hash);
    return EXIT_OK;
}

/* A file that is copied into the folder as it is. */
static enum status copy(const struct arguments *a, const char *from, const char *name)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    TRY(file_read(&bytes, from, MANIFEST_BYTES_MAX));
    return store(a->folder, name, buffer_view(&bytes), 0644);
}

/* What is pinned, read where it lies now. */
struct pinned {
    struct manifest manifest;
    struct hash hash; /* of the manifest */
    struct study study;
    struct policy policy;
    struct layout layout;
    struct schedule schedule;
};

static void pinned_free(struct pinned *pinned)
{
    manifest_free(&pinned->manifest);
}

static enum exit_code read_manifest(struct pinned *out, const char *path)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    enum reason why = REASON_NONE;
    enum status status = file_read(&bytes, path, MANIFEST_BYTES_MAX);
    if (status != STATUS_OK) return command_fail(path, status);
    status = manifest_read(&out->manifest, buffer_view(&bytes), &why);
    if (status != STATUS_OK) return command_refuse(why, reason_what(why));
    out->hash = manifest_hash(&out->manifest);
    return EXIT_OK;
}

static enum exit_code refuse_file(enum reason reason, const char *path,
                                  const struct settings_error *bad)
{
    char text[FILE_PATH_MAX + SETTINGS_TEXT_MAX + 16];
    (void)snprintf(text, sizeof text, "%s:%u: %s", path, bad->line, bad->text);
    return command_refuse(reason, text);
}

static enum exit_code read_settings(struct pinned *out, const struct arguments *a)
{
    struct settings_error bad = {0};
    if (study_read(&out->study, a->study, &bad) != STATUS_OK)
        return refuse_file(REASON_STUDY_FILE, a->study, &bad);
    if (policy_read(&out->policy, a->policy, &bad) != STATUS_OK)
        return refuse_file(REASON_POLICY, a->policy, &bad);
    if (!hash_equal(&out->study.hash, &out->manifest.study))
        return command_refuse(REASON_STUDY, "the manifest names another study file");
    enum status status = layout_of(&out->layout, &out->study.model.spec);
    if (status == STATUS_OK)
        status = schedule_of(&out->schedule, &out->study, &out->layout, out->manifest.n, &bad);
    return status == STATUS_OK ? EXIT_OK : refuse_file(REASON_STUDY_FILE, a->study, &bad);
}

static enum exit_code refuse_ledger(enum status status, const char *path,
                                    const struct ledger_fault *fault)
{
    char text[FILE_PATH_MAX + 256];
    (void)snprintf(text, sizeof text, "%s: entry %llu does not hold: %s", path,
                   (unsigned long long)fault->number, fault->what == NULL ? "" : fault->what);
    const char *otherwise =
        status == STATUS_STATE ? reason_what(REASON_LEDGER) : status_text(status);
    return command_refuse(REASON_LEDGER, fault->what == NULL ? otherwise : text);
}

/* Begin the books: the journal is bound to the manifest, and the study enters the ledger. */
static enum exit_code begin_books(const struct pinned *pinned, const struct arguments *a)
{
    char path[FILE_PATH_MAX];
    AUTO(keyfile_wipe) struct keyfile key = {0};
    enum status status = file_path(path, sizeof path, a->folder, "key");
    if (status == STATUS_OK) status = keyfile_read(&key, path);
    if (status != STATUS_OK) return command_refuse(REASON_KEY_FILE, path);
    AUTO(journal_close) struct journal *journal = NULL;
    struct ledger_fault fault = {0};
    status = file_path(path, sizeof path, a->folder, "journal.db");
    if (status == STATUS_OK) status = journal_open(&journal, path);
    if (status == STATUS_OK) status = journal_bind(journal, &pinned->hash, true);
    if (status == STATUS_OK) status = policy_ledger(path, a->folder, &pinned->policy);
    if (status == STATUS_OK)
        status = budget_begin(path, journal, &pinned->policy, &pinned->schedule, &pinned->hash,
                              key.identity, command_time_s(), &fault);
    return status == STATUS_OK ? EXIT_OK : refuse_ledger(status, path, &fault);
}

enum exit_code enrol_pin(int argc, char **argv)
{
    struct arguments a = {0};
    const struct option_row row[] = {
        main_dir(&a.folder),
        {"manifest", "FILE", "The signed manifest", 'm', .needed = true, .text = &a.manifest},
        option_study(&a.study, "The study file"),
        {"policy", "FILE", "This site's policy", 'p', .needed = true, .text = &a.policy},
        {0}};
    option_read(
        &(struct option_table){
            .row = row, .doc = "Check a manifest's signatures and pin it, with study and policy."},
        argc, argv);
    AUTO(pinned_free) struct pinned pinned = {0};
    enum exit_code code = read_manifest(&pinned, a.manifest);
    if (code == EXIT_OK) code = read_settings(&pinned, &a);
    if (code == EXIT_OK) code = begin_books(&pinned, &a);
    if (code != EXIT_OK) return code;
    const struct manifest *manifest = &pinned.manifest;
    char hex[2 * HASH_BYTES + 2];
    hash_hex(hex, &pinned.hash, HASH_BYTES);
    hex[2 * HASH_BYTES] = '\n';
    struct view line = {.at = (const uint8_t *)hex, .n = sizeof hex - 1};
    enum status status = copy(&a, a.manifest, "manifest");
    if (status == STATUS_OK) status = copy(&a, a.study, "study.yaml");
    if (status == STATUS_OK) status = copy(&a, a.policy, "policy.yaml");
    if (status == STATUS_OK) status = store(a.folder, "manifest.pin", line, 0644);
    if (status != STATUS_OK) return command_fail(a.folder, status);
    printf("federation %s, epoch %u, %u sites, %u of %u governors needed\n", manifest->federation,
           manifest->epoch, manifest->n, manifest->governors_needed, manifest->n_governors);
    print_fingerprint("pinned manifest, to be compared by phone:", &pinned.hash);
    return EXIT_OK;
}
