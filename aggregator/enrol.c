/* SPDX-License-Identifier: Apache-2.0 */
/* Before a study: keys, and the manifest that names who takes part. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "aggregator/main_step.h"
#include "base/file.h"

/* Of manifest. */
struct arguments {
    const char *folder, *study, *out;
    const char *governor[MANIFEST_GOVERNORS_MAX];
    uint32_t n_governors, needed;
    const char **request; /* the rest of the command line */
    uint32_t n_requests;
};

enum exit_code enrol_keygen(int argc, char **argv)
{
    const char *folder = NULL, *name = NULL;
    const struct option_row row[] = {main_dir(&folder),
                                     {"name", "NAME", "Name of the key's holder: a-z, 0-9 and -",
                                      'n', .needed = true, .text = &name},
                                     {0}};
    option_read(&(struct option_table){.row = row,
                                       .doc = "Make the keys of the coordinator or of a governor."},
                argc, argv);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) return command_fail(folder, STATUS_IO);
    AUTO(rng_wipe) struct rng rng = {0};
    rng_system(&rng);
    AUTO(keyfile_wipe) struct keyfile key = {0};
    enum status status = keyfile_make(&key, name, &rng);
    char path[FILE_PATH_MAX];
    if (status == STATUS_OK) status = file_path(path, sizeof path, folder, "key");
    if (status == STATUS_OK) status = keyfile_write(&key, path);
    if (status != STATUS_OK)
        return command_fail("the key file exists or cannot be written", status);
    AUTO(buffer_free) struct buffer request = {0};
    request_write(&request, &key, mask_available(MASK_AES256_CTR));
    status = request.status;
    if (status == STATUS_OK) status = file_path(path, sizeof path, folder, "request");
    if (status == STATUS_OK) status = file_write(path, buffer_view(&request), 0644);
    if (status != STATUS_OK) return command_fail("request", status);
    printf("wrote %s/key (secret) and %s/request (public)\n", folder, folder);
    return EXIT_OK;
}

static enum status read_request(struct member *member, const char *path)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    enum status status = file_read(&bytes, path, 4096);
    if (status == STATUS_OK) status = request_read(member, buffer_view(&bytes));
    if (status != STATUS_OK) fprintf(stderr, "%s: %s\n", path, status_text(status));
    return status;
}

static enum status read_requests(struct manifest *manifest, const struct arguments *a)
{
    manifest->member = calloc(a->n_requests, sizeof *manifest->member);
    if (manifest->member == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < a->n_requests; i++) {
        TRY(read_request(&manifest->member[i], a->request[i]));
        manifest->n++;
    }
    return STATUS_OK;
}

/* Governors are known by their requests as well: their keys never come to this machine. */
static enum status read_governors(struct manifest *manifest, const struct arguments *a)
{
    for (uint32_t i = 0; i < a->n_governors; i++) {
        struct member governor;
        TRY(read_request(&governor, a->governor[i]));
        memcpy(manifest->governor[i], governor.identity, SIGN_PUBLIC_BYTES);
        manifest->n_governors = i + 1;
    }
    return STATUS_OK;
}

static void print_manifest(const char *path, const struct manifest *manifest, uint32_t signatures)
{
    struct hash hash = manifest_hash(manifest);
    char hex[2 * HASH_BYTES + 1];
    hash_hex(hex, &hash, HASH_BYTES);
    printf("%s: %s, %u sites, epsilon at most %g at delta %g\n"
           "%u signatures, %u of %u governors are needed\n"
           "fingerprint, to be compared by phone: %s\n",
           path, manifest->federation, manifest->n, manifest->floor.max_epsilon,
           manifest->floor.max_delta, signatures, manifest->governors_needed, manifest->n_governors,
           hex);
}

static enum status make_manifest(const struct arguments *a)
{
    AUTO(manifest_free) struct manifest manifest = {.governors_needed = a->needed};
    AUTO(keyfile_wipe) struct keyfile key = {0};
    TRY(main_key(&key, a->folder));
    member_of(&manifest.coordinator, &key, mask_available(MASK_AES256_CTR));
    struct study study = {0};
    struct settings_error why = {0};
    enum status status = study_read(&study, a->study, &why);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s  %s:%u: %s\n", reason_id(REASON_STUDY_FILE), a->study, why.line,
                why.text);
        return status;
    }
    manifest_begin(&manifest, &study);
    TRY(read_requests(&manifest, a));
    TRY(read_governors(&manifest, a));
    const struct member *lacking = manifest_lacking(&manifest, study.secagg.cipher);
    if (lacking != NULL) {
        char what[KEYFILE_NAME_MAX + 64];
        snprintf(what, sizeof what, "the machine of %s declared no AES instructions",
                 lacking->name);
        (void)command_refuse(REASON_CIPHER, what);
        return STATUS_RANGE;
    }
    AUTO(buffer_free) struct buffer bytes = {0};
    manifest_write(&bytes, &manifest);
    TRY(bytes.status);
    /* Read it back: sites are as strict. */
    AUTO(manifest_free) struct manifest again = {0};
    uint32_t signatures = 0;
    TRY(manifest_draft(&again, buffer_view(&bytes), &signatures));
    TRY(file_write(a->out, buffer_view(&bytes), 0644));
    print_manifest(a->out, &manifest, 0);
    return STATUS_OK;
}

static enum status sign_manifest(const char *folder, const char *path)
{
    AUTO(keyfile_wipe) struct keyfile key = {0};
    TRY(main_key(&key, folder));
    AUTO(buffer_free) struct buffer bytes = {0};
    TRY(file_read(&bytes, path, MANIFEST_BYTES_MAX));
    AUTO(manifest_free) struct manifest draft = {0}, again = {0};
    uint32_t signatures = 0;
    TRY(manifest_draft(&draft, buffer_view(&bytes), &signatures));
    TRY(manifest_sign(&bytes, &draft, key.identity));
    /* A second signature of one governor is refused here. */
    TRY(manifest_draft(&again, buffer_view(&bytes), &signatures));
    TRY(file_write(path, buffer_view(&bytes), 0644));
    print_manifest(path, &draft, signatures);
    return STATUS_OK;
}

enum exit_code enrol_sign(int argc, char **argv)
{
    const char *folder = NULL, *path = NULL;
    const struct option_row row[] = {
        main_dir(&folder),
        {"manifest", "FILE", "The manifest to sign", 'm', .needed = true, .text = &path},
        {0}};
    option_read(
        &(struct option_table){.row = row, .doc = "Add a governor's signature to a manifest."},
        argc, argv);
    enum status status = sign_manifest(folder, path);
    return status == STATUS_OK ? EXIT_OK : command_fail("the manifest was not signed", status);
}

enum exit_code enrol_manifest(int argc, char **argv)
{
    struct arguments a = {.request = calloc((size_t)argc, sizeof *a.request)};
    if (a.request == NULL) return command_fail("manifest", STATUS_NOMEM);
    const struct option_row row[] = {
        main_dir(&a.folder),
        option_study(&a.study, "The study file"),
        {"governor", "FILE", "A governor's request; repeat", .needed = true, .list = a.governor,
         .count = &a.n_governors, .most = MANIFEST_GOVERNORS_MAX},
        {"needed", "N", "Signatures that sites ask for (all)", .count = &a.needed, .least = 1,
         .most = MANIFEST_GOVERNORS_MAX},
        {"out", "FILE", "The manifest to write", 'o', .needed = true, .text = &a.out},
        {NULL, "REQUEST...", .needed = true, .list = a.request, .count = &a.n_requests,
         .most = argc},
        {0}};
    option_read(
        &(struct option_table){.row = row, .doc = "Enrol the sites whose requests are given."},
        argc, argv);
    if (a.needed == 0) a.needed = a.n_governors;
    const enum status status = make_manifest(&a);
    free(a.request);
    return status == STATUS_OK ? EXIT_OK : command_fail("no manifest was made", status);
}
