/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab init: the initial weights of a study, from a public seed, a file, or both. */
#include "lab/init.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/option.h"
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
    struct arguments a = {.seed = 1};
    static const char doc[] =
        "Make the initial weights of a study: drawn, or your own as far as the file has them.\v"
        "Examples:\n  veilsum-lab init --study study.yaml --out initial.state\n"
        "  veilsum-lab init --study study.yaml --init own.safetensors --out initial.state";
    const struct option_row row[] = {
        option_study(&a.study, "The study file"),
        {"seed", "N", "Public seed (1)", 'r', .seed = &a.seed},
        {"init", "FILE", "Take weights from a safetensors file, by the tensors' names", 'i',
         .text = &a.init},
        {"ignore-unknown", NULL, "Leave out its tensors that the model has not",
         .given = &a.others},
        {"out", "FILE", "The state to write", 'o', .needed = true, .text = &a.out},
        {0}};
    option_read(&(struct option_table){.row = row, .doc = doc}, argc, argv);
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
