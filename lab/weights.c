/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab export: a study's weights as safetensors. */
#include <argp.h>
#include <stdio.h>

#include "base/file.h"
#include "client/model/safetensors.h"
#include "lab/commands.h"
#include "protocol/state.h"
#include "protocol/study.h"

struct arguments {
    const char *study, *state, *out;
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
