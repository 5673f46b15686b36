/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab init: the initial weights of a study, from a public seed, a file, or both. */
#include "lab/init.h"

#include <argp.h>
#include <stdlib.h>

#include "base/file.h"
#include "client/data/source.h"
#include "client/model/weights.h"
#include "lab/commands.h"
#include "protocol/state.h"
#include "protocol/study.h"

struct arguments {
    const char *study, *init, *out;
    uint64_t seed;
    bool others; /* tensors that the model does not have are left out */
};

enum { ARG_OTHERS = 256 };

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case 's':
        a->study = text;
        return 0;
    case 'o':
        a->out = text;
        return 0;
    case 'i':
        a->init = text;
        return 0;
    case ARG_OTHERS:
        a->others = true;
        return 0;
    case 'r':
        a->seed = strtoull(text, NULL, 10);
        return 0;
    case ARGP_KEY_END:
        if (a->study == NULL || a->out == NULL) argp_error(state, "--study and --out are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Everything kept, and weights as the seed draws them. */
static enum status draw(struct state *state, const struct model *model, uint64_t seed)
{
    TRY(state_new(state, model->layout.n));
    struct rng rng = {0};
    rng_numbered(&rng, seed);
    model_init(state->weight, model, &rng);
    return STATUS_OK;
}

static enum status write(const struct state *state, const char *path)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    state_write(&bytes, state);
    TRY(bytes.status);
    return file_write(path, buffer_view(&bytes), 0644);
}

enum status init_write(const struct model *model, uint64_t seed, const char *path)
{
    AUTO(state_free) struct state state = {0};
    TRY(draw(&state, model, seed));
    return write(&state, path);
}

/* Replace what the file has, and say what it has not. */
static enum status take(struct state *state, const struct layout *layout, const struct arguments *a,
                        struct data_error *why)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    AUTO(safetensors_free) struct safetensors file = {0};
    AUTO(bits_free) struct bits taken = {0};
    TRY(bits_new(&taken, layout->n_tensors));
    TRY(source_read(&bytes, a->init, SAFETENSORS_BYTES_MAX, why));
    TRY(safetensors_parse(&file, buffer_view(&bytes), why));
    TRY(weights_take(state->weight, &taken, layout, &file, a->others, why));
    if (bits_count(&taken) == 0)
        return source_refuse(why, STATUS_RANGE, "none of its tensors is one of the model's");
    for (uint32_t t = 0; t < layout->n_tensors; t++)
        if (!bits_has(&taken, t))
            fprintf(stderr, "%s is not in %s: drawn from seed %llu\n", layout->tensor[t].name,
                    a->init, (unsigned long long)a->seed);
    return STATUS_OK;
}

static enum exit_code make(const struct model *model, const struct arguments *a)
{
    AUTO(state_free) struct state state = {0};
    struct data_error why = {{0}};
    enum status status = draw(&state, model, a->seed);
    if (status == STATUS_OK && a->init != NULL) {
        status = take(&state, &model->layout, a, &why);
        if (status != STATUS_OK) {
            fprintf(stderr, "%s: %s\n", a->init, why.text[0] == 0 ? status_text(status) : why.text);
            return EXIT_DATA;
        }
    }
    if (status == STATUS_OK) status = write(&state, a->out);
    if (status == STATUS_OK) return EXIT_OK;
    fprintf(stderr, "%s: %s\n", a->out, status_text(status));
    return EXIT_FAILED;
}

enum exit_code init_command(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"study", 's', "FILE", 0, "The study file", 0},
        {"seed", 'r', "N", 0, "Public seed (1)", 0},
        {"init", 'i', "FILE", 0, "Take weights from a safetensors file, by the tensors' names", 0},
        {"ignore-unknown", ARG_OTHERS, NULL, 0, "Leave out its tensors that the model has not", 0},
        {"out", 'o', "FILE", 0, "The state to write", 0},
        {0}};
    struct arguments a = {.seed = 1};
    const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Make the initial weights of a study: drawn, or your own as far as the file has "
               "them.\v"
               "Examples:\n  veilsum-lab init --study study.yaml --out initial.state\n"
               "  veilsum-lab init --study study.yaml --init own.safetensors --out initial.state"};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &a);
    struct study study = {0};
    struct settings_error why = {0};
    if (study_read(&study, a.study, &why) != STATUS_OK) {
        fprintf(stderr, "%s:%u: %s\n", a.study, why.line, why.text);
        return EXIT_REFUSED;
    }
    static struct model model; /* large */
    if (model_of(&model, &study.model.spec) != STATUS_OK) {
        fprintf(stderr, "%s: this model cannot be computed\n", a.study);
        return EXIT_REFUSED;
    }
    return make(&model, &a);
}
