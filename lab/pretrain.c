/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/pretrain.h"

#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/file.h"
#include "base/option.h"
#include "client/data/split.h"
#include "lab/commands.h"
#include "protocol/study.h"

static void check(void *values, struct argp_state *state)
{
    const struct pretrain_options *o = values;
    const char *unusable = corpus_usage(&o->corpus);
    if (unusable != NULL) argp_error(state, "%s", unusable);
    if (o->rest != NULL && o->records == 0)
        argp_error(state, "--rest goes with --records: otherwise nothing is left");
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
    static const char *const optimizer[] = {[OPTIM_ADAM] = "adam", [OPTIM_SGD] = "sgd"};
    double rate = 0.001, momentum = 0, decay = 0;
    static const char doc[] =
        "Train a model in one place on public data, as the frozen backbone of studies or as their "
        "start. Its hash is printed at the end.\v"
        "Examples:\n"
        "  veilsum-lab pretrain --model vit --sizes 'dim: 32, mlp: 64' --out backbone.safetensors\n"
        "  veilsum-lab pretrain --model mlp --records 10000 --rest rest --out start.safetensors";
    static struct pretrain p; /* large */
    p.options = (struct pretrain_options){
        .epochs = 5, .batch = 100, .how = {.kind = OPTIM_ADAM}, .seed = 1};
    struct pretrain_options *o = &p.options;
    const struct option_row row[] = {
        {"model", "KIND", "vit, mixer, mlp, cnn or another kind of a study", .needed = true,
         .text = &o->model},
        {"sizes", "KEYS", "Other keys of its model section: 'dim: 32, depth: 12'",
         .text = &o->sizes},
        {"records", "N", "Train with N records, drawn by the seed (all)", .count = &o->records,
         .least = 1, .most = DATA_RECORDS_MAX},
        {"rest", "DIR",
         "Write the others as images.idx and labels.idx, for studies that share none",
         .text = &o->rest},
        {"epochs", "N", "Passes over the records (5)", .count = &o->epochs, .least = 1,
         .most = 100000},
        {"batch", "N", "Records of a step (100)", .count = &o->batch, .least = 1, .most = 4096},
        {"optimizer", "NAME", "adam or sgd (adam)", .choice = &o->how.kind,
         OPTION_AMONG(optimizer)},
        {"rate", "X", "Largest learning rate (0.001)", .number = &rate, .least = 1e-9,
         .most = 1000},
        {"momentum", "X", "Of sgd (0)", .number = &momentum, .most = 0.9999},
        {"decay", "X", "Of the weights (0)", .number = &decay, .most = 10},
        {"least-blocks", "N", "Each step trains N blocks of a transformer or more (a quarter)",
         .count = &o->least_blocks, .least = 1, .most = LAYOUT_DEPTH_MAX},
        option_seed(&o->seed, "Of all chance (1)"),
        {"out", "FILE", "The safetensors file to write", 'o', .needed = true, .text = &o->out},
        {0}};
    note_command(&p, argc, argv);
    option_read(&(struct option_table){.row = row,
                                       .doc = doc,
                                       .children = corpus_options,
                                       .further = &o->corpus,
                                       .check = check,
                                       .values = o},
                argc, argv);
    o->how.rate = (float)rate;
    o->how.momentum = (float)momentum;
    o->how.decay = (float)decay;
    enum exit_code code = prepare(&p);
    if (code == EXIT_OK) code = make(&p);
    pretrain_free(&p);
    return code;
}
