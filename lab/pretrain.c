/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/pretrain.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/file.h"
#include "client/data/split.h"
#include "lab/commands.h"
#include "lab/option.h"
#include "protocol/study.h"

enum {
    ARG_MODEL = 256,
    ARG_SIZES,
    ARG_RECORDS,
    ARG_REST,
    ARG_EPOCHS,
    ARG_BATCH,
    ARG_OPTIMIZER,
    ARG_RATE,
    ARG_MOMENTUM,
    ARG_DECAY,
    ARG_LEAST_BLOCKS,
    ARG_SEED
};

static void end_of_arguments(struct pretrain_options *o, struct argp_state *state)
{
    const char *unusable = corpus_usage(&o->corpus);
    if (unusable != NULL) argp_error(state, "%s", unusable);
    if (o->model == NULL || o->out == NULL) argp_error(state, "--model and --out are needed");
    if (o->rest != NULL && o->records == 0)
        argp_error(state, "--rest goes with --records: otherwise nothing is left");
}

static enum optim_kind optimizer(struct argp_state *state, const char *text)
{
    const bool adam = strcmp(text, "adam") == 0;
    if (!adam && strcmp(text, "sgd") != 0)
        argp_error(state, "--optimizer %s: it is adam or sgd", text);
    return adam ? OPTIM_ADAM : OPTIM_SGD;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct pretrain_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->corpus;
        return 0;
    case ARG_MODEL:
        o->model = text;
        return 0;
    case ARG_SIZES:
        o->sizes = text;
        return 0;
    case ARG_REST:
        o->rest = text;
        return 0;
    case 'o':
        o->out = text;
        return 0;
    case ARG_RECORDS:
        o->records = option_count(state, "records", text, 1, DATA_RECORDS_MAX);
        return 0;
    case ARG_EPOCHS:
        o->epochs = option_count(state, "epochs", text, 1, 100000);
        return 0;
    case ARG_BATCH:
        o->batch = option_count(state, "batch", text, 1, 4096);
        return 0;
    case ARG_LEAST_BLOCKS:
        o->least_blocks = option_count(state, "least-blocks", text, 1, LAYOUT_DEPTH_MAX);
        return 0;
    case ARG_OPTIMIZER:
        o->how.kind = optimizer(state, text);
        return 0;
    case ARG_RATE:
        o->how.rate = (float)option_number(state, "rate", text, 1e-9, 1000);
        return 0;
    case ARG_MOMENTUM:
        o->how.momentum = (float)option_number(state, "momentum", text, 0, 0.9999);
        return 0;
    case ARG_DECAY:
        o->how.decay = (float)option_number(state, "decay", text, 0, 10);
        return 0;
    case ARG_SEED:
        o->seed = strtoull(text, NULL, 10);
        return 0;
    case ARGP_KEY_END:
        end_of_arguments(o, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum exit_code refuse(const char *text)
{
    fprintf(stderr, "pretrain: %s\n", text);
    return EXIT_USAGE;
}

/* The same keys, defaults and checks as in a study file, by reading one. */
static enum exit_code read_model(struct pretrain *p)
{
    const struct dataset *data = &p->train;
    const char *sizes = p->options.sizes;
    char text[1024];
    const int n = snprintf(p->section, sizeof p->section,
                           "kind: %s, channels: %u, height: %u, width: %u, classes: %u%s%s",
                           p->options.model, data->channels, data->height, data->width,
                           data->classes, sizes == NULL ? "" : ", ", sizes == NULL ? "" : sizes);
    if (n < 0 || (size_t)n >= sizeof p->section) return refuse("--sizes is too long");
    const int length = snprintf(text, sizeof text,
                                "schema: 1\nstudy: {id: pretrain, rehearsal: true}\n"
                                "privacy: {unit: site, epsilon: .inf}\npruning: {mode: none}\n"
                                "model: {%s}\n",
                                p->section);
    struct study study = {0};
    struct settings_error why = {0};
    const struct view view = {(const uint8_t *)text, (size_t)length};
    if (study_parse(&study, view, &why) != STATUS_OK) return refuse(why.text);
    if (study.model.spec.rank > 0) return refuse("rank: a backbone is trained whole, without one");
    if (p->options.least_blocks > study.model.spec.depth)
        return refuse("--least-blocks is more than the model's depth");
    p->pixel_mean = (float)study.model.pixel_mean;
    p->pixel_deviation = (float)study.model.pixel_deviation;
    if (model_of(&p->model, &study.model.spec) == STATUS_OK) return EXIT_OK;
    return refuse("this model cannot be computed");
}

static void release_sites(uint16_t **site)
{
    free(*site);
}

/* Keep options.records of the training records, drawn by the seed, and write the others. */
static enum status part(struct pretrain *p)
{
    const uint32_t wanted = p->options.records;
    if (wanted == 0 || wanted == p->train.n) return STATUS_OK;
    AUTO(release_sites) uint16_t *site = calloc(p->train.n, sizeof *site);
    if (site == NULL) return STATUS_NOMEM;
    for (size_t i = 0, left = wanted; i < p->train.n; i++) {
        const bool taken = rng_below(&p->rng, p->train.n - i) < left;
        site[i] = taken ? 0 : 1;
        left -= taken;
    }
    AUTO(dataset_free) struct dataset own = {0}, rest = {0};
    TRY(split_take(&own, &p->train, site, 0));
    TRY(split_take(&rest, &p->train, site, 1));
    if (p->options.rest != NULL) {
        char images[FILE_PATH_MAX], labels[FILE_PATH_MAX];
        TRY(file_path(images, sizeof images, p->options.rest, "images.idx"));
        TRY(file_path(labels, sizeof labels, p->options.rest, "labels.idx"));
        TRY(idx_write(&rest, images, labels));
    }
    dataset_free(&p->train);
    p->train = own;
    own = (struct dataset){0};
    return STATUS_OK;
}

static enum exit_code prepare(struct pretrain *p)
{
    struct data_error why = {{0}};
    rng_numbered(&p->rng, p->options.seed);
    if (corpus_read(&p->train, &p->test, &p->options.corpus, &why) != STATUS_OK) {
        fprintf(stderr, "pretrain: %s\n", why.text);
        return EXIT_DATA;
    }
    if (p->options.records > p->train.n) {
        fprintf(stderr, "pretrain: --records %u: there are %zu\n", p->options.records, p->train.n);
        return EXIT_DATA;
    }
    if (dataset_floats(&p->train) != dataset_floats(&p->test) ||
        p->test.classes > p->train.classes) {
        fprintf(stderr, "pretrain: the test data is not of the training data's kind\n");
        return EXIT_DATA;
    }
    const enum exit_code code = read_model(p);
    if (code != EXIT_OK) return code;
    enum status status = part(p);
    if (status != STATUS_OK) {
        fprintf(stderr, "pretrain: the records that are left over: %s\n", status_text(status));
        return EXIT_FAILED;
    }
    status = pretrain_new(p);
    if (status == STATUS_OK) return EXIT_OK;
    fprintf(stderr, "pretrain: %s\n", status_text(status));
    return EXIT_FAILED;
}

static enum exit_code make(struct pretrain *p)
{
    command_catch_stop();
    enum status status = pretrain_run(p);
    if (status == STATUS_STATE || command_stopped()) {
        fprintf(stderr, "pretrain: stopped; nothing was written\n");
        return EXIT_FAILED;
    }
    if (status != STATUS_OK) {
        fprintf(stderr, "pretrain: the training diverged; take a smaller --rate\n");
        return EXIT_FAILED;
    }
    status = pretrain_write(p);
    if (status == STATUS_OK) return EXIT_OK;
    fprintf(stderr, "pretrain: %s: %s\n", p->options.out, status_text(status));
    return EXIT_FAILED;
}

/* The command line as it was given, cut off where it is too long to note. */
static void note_command(struct pretrain *p, int argc, char **argv)
{
    size_t n = 0;
    for (int i = 0; i < argc && n < sizeof p->command; i++) {
        const int more =
            snprintf(p->command + n, sizeof p->command - n, "%s%s", i == 0 ? "" : " ", argv[i]);
        if (more > 0) n += (size_t)more;
    }
}

enum exit_code pretrain_command(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"model", ARG_MODEL, "KIND", 0, "vit, mixer, mlp, cnn or another kind of a study", 0},
        {"sizes", ARG_SIZES, "KEYS", 0, "Other keys of its model section: 'dim: 32, depth: 12'", 0},
        {"records", ARG_RECORDS, "N", 0, "Train with N records, drawn by the seed (all)", 0},
        {"rest", ARG_REST, "DIR", 0,
         "Write the others as images.idx and labels.idx, for studies that share none", 0},
        {"epochs", ARG_EPOCHS, "N", 0, "Passes over the records (5)", 0},
        {"batch", ARG_BATCH, "N", 0, "Records of a step (100)", 0},
        {"optimizer", ARG_OPTIMIZER, "NAME", 0, "adam or sgd (adam)", 0},
        {"rate", ARG_RATE, "X", 0, "Largest learning rate (0.001)", 0},
        {"momentum", ARG_MOMENTUM, "X", 0, "Of sgd (0)", 0},
        {"decay", ARG_DECAY, "X", 0, "Of the weights (0)", 0},
        {"least-blocks", ARG_LEAST_BLOCKS, "N", 0,
         "Each step trains N blocks of a transformer or more (a quarter)", 0},
        {"seed", ARG_SEED, "N", 0, "Of all chance (1)", 0},
        {"out", 'o', "FILE", 0, "The safetensors file to write", 0},
        {0}};
    static const char doc[] =
        "Train a model in one place on public data, as the frozen backbone of studies or as their "
        "start. Its hash is printed at the end.\v"
        "Examples:\n"
        "  veilsum-lab pretrain --model vit --sizes 'dim: 32, mlp: 64' --out backbone.safetensors\n"
        "  veilsum-lab pretrain --model mlp --records 10000 --rest rest --out start.safetensors";
    static struct pretrain p; /* large */
    p.options = (struct pretrain_options){
        .epochs = 5, .batch = 100, .how = {.kind = OPTIM_ADAM, .rate = 0.001f}, .seed = 1};
    const struct argp argp = {
        .options = options, .parser = parse, .doc = doc, .children = corpus_options};
    note_command(&p, argc, argv);
    (void)argp_parse(&argp, argc, argv, 0, NULL, &p.options);
    enum exit_code code = prepare(&p);
    if (code == EXIT_OK) code = make(&p);
    pretrain_free(&p);
    return code;
}
