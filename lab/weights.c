/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab export and weights: a study's weights as safetensors, and what such a file holds. */
#include <jansson.h>
#include <stdio.h>

#include "base/file.h"
#include "base/option.h"
#include "client/backbone.h"
#include "client/data/source.h"
#include "lab/commands.h"
#include "protocol/state.h"

struct arguments {
    const char *study, *state, *out;
};

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
    struct arguments a = {0};
    static const char doc[] =
        "Write a study's weights as safetensors, to be used elsewhere.\v"
        "Example:\n  veilsum-lab export --study study.yaml --state final.state "
        "--out trained.safetensors";
    const struct option_row row[] = {
        option_study(&a.study, "The study file"),
        {"state", "FILE", "Its state, e.g. a site's final.state", 't', .needed = true,
         .text = &a.state},
        {"out", "FILE", "The safetensors file to write", 'o', .needed = true, .text = &a.out},
        {0}};
    option_read(&(struct option_table){.row = row, .doc = doc}, argc, argv);
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

enum exit_code weights_command(int argc, char **argv)
{
    static const char doc[] =
        "Show a safetensors file: its hash as a study names it (model.backbone), its metadata, its "
        "tensors.";
    const char *path = NULL;
    const struct option_row row[] = {{NULL, "FILE", .needed = true, .text = &path}, {0}};
    option_read(&(struct option_table){.row = row, .doc = doc}, argc, argv);
    AUTO(buffer_free) struct buffer bytes = {0};
    AUTO(safetensors_free) struct safetensors file = {0};
    struct data_error why = {{0}};
    enum status status = source_read(&bytes, path, SAFETENSORS_BYTES_MAX, &why);
    if (status == STATUS_OK) status = safetensors_parse(&file, buffer_view(&bytes), &why);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", path, why.text);
        return EXIT_DATA;
    }
    print(&file, buffer_view(&bytes));
    return EXIT_OK;
}
