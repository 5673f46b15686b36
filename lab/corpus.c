/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/corpus.h"

#include <stdlib.h>
#include <string.h>

#include "client/data/source.h"

#define FASHION "/usr/share/datasets/fashion-mnist/"

static const struct records fashion = {.train = {.images = FASHION "train-images-idx3-ubyte.gz",
                                                 .labels = FASHION "train-labels-idx1-ubyte.gz"},
                                       .held = {.images = FASHION "t10k-images-idx3-ubyte.gz",
                                                .labels = FASHION "t10k-labels-idx1-ubyte.gz"}};

const struct argp_child corpus_options[] = {
    {&records_argp, 0, "The records, and those held out to test on (Fashion-MNIST):", 1}, {0}};

const char *corpus_usage(const struct records *records)
{
    if (!records_named(records)) return NULL;
    const char *wrong = records_usage(records);
    if (wrong != NULL) return wrong;
    const struct origin *o = &records->train;
    if (origin_named(&records->held) || (o->npz != NULL && o->split == NULL)) return NULL;
    return "records to test on are needed as well: --holdout- and the same way of naming them";
}

struct split corpus_split(struct argp_state *state, const char *name)
{
    struct split split = {0};
    if (split_parse(&split, name) != STATUS_OK)
        argp_error(state, "--partition %s: it is " SPLIT_NAMES, name);
    return split;
}

enum status corpus_read(struct dataset *train, struct dataset *test, const struct records *records,
                        struct data_error *why)
{
    if (!records_named(records)) {
        const enum status status = records_read(train, test, &fashion, why);
        if (status == STATUS_OK) return STATUS_OK;
        return source_refuse(
            why, status, "the default data, Debian's package dataset-fashion-mnist, is not in %s",
            FASHION);
    }
    struct records r = *records;
    if (!origin_named(&r.held) && r.train.npz != NULL) r.held.split = "test";
    return records_read(train, test, &r, why);
}

static enum status append(struct dataset *all, const struct dataset *more)
{
    const size_t size = dataset_floats(all);
    uint8_t *pixel = realloc(all->pixel, (all->n + more->n) * size);
    if (pixel == NULL) return STATUS_NOMEM;
    all->pixel = pixel;
    uint8_t *label = realloc(all->label, all->n + more->n);
    if (label == NULL) return STATUS_NOMEM;
    all->label = label;
    memcpy(pixel + all->n * size, more->pixel, more->n * size);
    memcpy(label + all->n, more->label, more->n);
    all->n += more->n;
    if (more->classes > all->classes) all->classes = more->classes;
    return STATUS_OK;
}

enum status corpus_pool(struct dataset *out, struct dataset *part, uint32_t n)
{
    AUTO(dataset_free) struct dataset all = part[0];
    part[0] = (struct dataset){0};
    free(all.key);
    all.key = NULL;
    for (uint32_t v = 1; v < n; v++) {
        TRY(append(&all, &part[v]));
        dataset_free(&part[v]);
    }
    *out = all;
    all = (struct dataset){0};
    return STATUS_OK;
}

struct hash corpus_hash(const struct dataset *data)
{
    struct hash_state state;
    hash_start(&state, "corpus");
    hash_add_u64(&state, data->channels);
    hash_add_u64(&state, data->height);
    hash_add_u64(&state, data->width);
    hash_add(&state, data->pixel, data->n * dataset_floats(data));
    hash_add(&state, data->label, data->n);
    return hash_end(&state);
}
