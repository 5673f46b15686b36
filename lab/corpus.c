/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/corpus.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "client/data/source.h"

#define FASHION "/usr/share/datasets/fashion-mnist/"

static const struct corpus fashion = {.data = FASHION "train-images-idx3-ubyte.gz",
                                      .labels = FASHION "train-labels-idx1-ubyte.gz",
                                      .test_data = FASHION "t10k-images-idx3-ubyte.gz",
                                      .test_labels = FASHION "t10k-labels-idx1-ubyte.gz"};

static bool is_npz(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot != NULL && strcmp(dot, ".npz") == 0;
}

const char *corpus_usage(const struct corpus *c)
{
    const bool labels = c->labels != NULL || c->test_labels != NULL;
    const bool more = labels || c->test_data != NULL;
    if (c->schema != NULL)
        return c->data == NULL || c->test_data == NULL || labels
                   ? "--schema goes with --data and --test-data, tables that have their labels"
                   : NULL;
    if (c->data == NULL)
        return more ? "--labels, --test-data and --test-labels go with --data" : NULL;
    if (is_npz(c->data)) return more ? "an npz file has its labels and its test split in it" : NULL;
    if (c->labels == NULL || c->test_data == NULL || c->test_labels == NULL)
        return "idx data needs --labels, --test-data and --test-labels as well";
    return NULL;
}

static enum status read_fashion(struct dataset *train, struct dataset *test, struct data_error *why)
{
    const struct corpus *c = &fashion;
    enum status status = idx_read(train, c->data, c->labels, why);
    if (status == STATUS_OK) status = idx_read(test, c->test_data, c->test_labels, why);
    if (status == STATUS_OK) return STATUS_OK;
    return source_refuse(why, status,
                         "the default data, Debian's package dataset-fashion-mnist, is not in %s",
                         FASHION);
}

enum status corpus_read(struct dataset *train, struct dataset *test, const struct corpus *corpus,
                        struct data_error *why)
{
    const struct corpus *c = corpus;
    if (c->data == NULL) return read_fashion(train, test, why);
    if (c->schema != NULL) {
        TRY(csv_read(train, c->data, c->schema, why));
        return csv_read(test, c->test_data, c->schema, why);
    }
    if (is_npz(c->data)) {
        TRY(npz_read(train, c->data, "train", why));
        return npz_read(test, c->data, "test", why);
    }
    TRY(idx_read(train, c->data, c->labels, why));
    return idx_read(test, c->test_data, c->test_labels, why);
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
