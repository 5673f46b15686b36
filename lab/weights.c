/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab export and weights: a study's weights as safetensors, and what such a file holds. */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>

#include "base/file.h"
#include "client/backbone.h"
#include "client/data/source.h"
#include "lab/commands.h"
#include "protocol/state.h"

struct arguments {
    const char *study, *state, *out, *file;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case 's':
        a->study = text;
        return 0;
    case 't':
        a->state = text;
        return 0;
    case 'o':
        a->out = text;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum status export_state(const struct study *study, const struct arguments *a,
                                const char **what)
{
    struct layout layout;
    AUTO(buffer_free) struct buffer in = {0}, out = {0};
    AUTO(state_free) struct state state = {0};
    *what = a->state;
    TRY(layout_of(&layout, &study->model.spec));
    TRY(file_read(&in, a->state, 5 * layout.n + 64));
    TRY(state_read(&state, buffer_view(&in), layout.n));
    char hash[2 * HASH_BYTES + 1];
    hash_hex(hash, &study->hash, HASH_BYTES);
    const struct safetensors_note note[] = {{"study", study->study.id}, {"study_hash", hash}};
    *what = a->out;
    TRY(safetensors_write(&out, &layout, state.weight, sizeof note / sizeof *note, note));
    return file_write(a->out, buffer_view(&out), 0644);
}

enum exit_code export_command(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"study", 's', "FILE", 0, "The study file", 0},
        {"state", 't', "FILE", 0, "Its state, e.g. a site's final.state", 0},
        {"out", 'o', "FILE", 0, "The safetensors file to write", 0},
        {0}};
    const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Write a study's weights as safetensors, to be used elsewhere.\v"
               "Example:\n  veilsum-lab export --study study.yaml --state final.state "
               "--out trained.safetensors"};
    struct arguments a = {0};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (a.study == NULL || a.state == NULL || a.out == NULL) {
        fprintf(stderr, "--study, --state and --out are needed\n");
        return EXIT_USAGE;
    }
    struct study study = {0};
    struct settings_error why = {0};
    if (study_read(&study, a.study, &why) != STATUS_OK) {
        fprintf(stderr, "%s:%u: %s\n", a.study, why.line, why.text);
        return EXIT_REFUSED;
    }
    const char *what = NULL;
    const enum status status = export_state(&study, &a, &what);
    if (status == STATUS_OK) return EXIT_OK;
    fprintf(stderr, "%s: %s\n", what, status_text(status));
    return status == STATUS_FORMAT || status == STATUS_RANGE ? EXIT_DATA : EXIT_FAILED;
}

static void print(const struct safetensors *file, struct view bytes)
{
    const struct hash hash = backbone_hash(bytes);
    char hex[2 * HASH_BYTES + 1];
    hash_hex(hex, &hash, HASH_BYTES);
    printf("hash %s\n", hex);
    const char *key = NULL;
    json_t *text = NULL;
    json_object_foreach(json_object_get(file->header, "__metadata__"), key, text)
    {
        printf("%s: %s\n", key, json_string_value(text));
    }
    uint64_t numbers = 0;
    for (size_t i = 0; i < file->n; i++) {
        const struct safetensors_tensor *tensor = &file->tensor[i];
        printf("%s (", tensor->name);
        for (size_t d = 0; d < tensor->n_dims; d++)
            printf("%s%llu", d == 0 ? "" : ", ", (unsigned long long)tensor->dim[d]);
        printf(")\n");
        numbers += safetensors_count(tensor);
    }
    printf("%zu tensors, %llu numbers\n", file->n, (unsigned long long)numbers);
}

static error_t parse_file(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    if (key == ARGP_KEY_END && a->file == NULL) argp_error(state, "a file is needed");
    if (key != ARGP_KEY_ARG || a->file != NULL) return ARGP_ERR_UNKNOWN;
    a->file = text;
    return 0;
}

enum exit_code weights_command(int argc, char **argv)
{
    const struct argp argp = {
        .parser = parse_file,
        .args_doc = "FILE",
        .doc = "Show a safetensors file: its hash as a study names it (model.backbone), its "
               "metadata, its tensors."};
    struct arguments a = {0};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &a);
    AUTO(buffer_free) struct buffer bytes = {0};
    AUTO(safetensors_free) struct safetensors file = {0};
    struct data_error why = {{0}};
    enum status status = source_read(&bytes, a.file, SAFETENSORS_BYTES_MAX, &why);
    if (status == STATUS_OK) status = safetensors_parse(&file, buffer_view(&bytes), &why);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", a.file, why.text);
        return EXIT_DATA;
    }
    print(&file, buffer_view(&bytes));
    return EXIT_OK;
}
