/* SPDX-License-Identifier: Apache-2.0 */
#include "client/overlap.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/hash.h"

struct mark {
    struct hash hash;
    size_t record;
};

/* A data set's records by their hashes, sorted; of one hash, in the set's order. */
struct index {
    size_t n;
    struct mark *mark; /* secret */
};

static void index_free(struct index *index)
{
    if (index->mark != NULL) secret_wipe(index->mark, index->n * sizeof *index->mark);
    free(index->mark);
}

static int compare(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    return memcmp(&x->hash, &y->hash, sizeof x->hash);
}

static int compare_places(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    const int order = compare(a, b);
    return order != 0 ? order : (x->record > y->record) - (x->record < y->record);
}

static struct mark mark_of(const struct dataset *data, size_t i)
{
    const size_t pixels = dataset_floats(data);
    return (struct mark){hash_of("record", (struct view){data->pixel + i * pixels, pixels}), i};
}

static enum status index_new(struct index *out, const struct dataset *data)
{
    out->n = data->n;
    out->mark = calloc(data->n + 1, sizeof *out->mark);
    if (out->mark == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < data->n; i++) out->mark[i] = mark_of(data, i);
    qsort(out->mark, out->n, sizeof *out->mark, compare_places);
    return STATUS_OK;
}

enum status overlap_within(struct overlap *out, const struct dataset *data)
{
    AUTO(index_free) struct index index = {0};
    TRY(index_new(&index, data));
    struct overlap found = {0};
    size_t first = 0;
    for (size_t i = 1; i < index.n; i++) {
        if (compare(&index.mark[first], &index.mark[i]) != 0) {
            first = i;
            continue;
        }
        found.again++;
        found.disputed +=
            data->label[index.mark[first].record] != data->label[index.mark[i].record];
    }
    *out = found;
    return STATUS_OK;
}

enum status overlap_between(size_t *out, const struct dataset *data, const struct dataset *other)
{
    AUTO(index_free) struct index index = {0};
    TRY(index_new(&index, data));
    size_t shared = 0;
    for (size_t i = 0; i < other->n; i++) {
        const struct mark mark = mark_of(other, i);
        shared += bsearch(&mark, index.mark, index.n, sizeof mark, compare) != NULL;
    }
    *out = shared;
    return STATUS_OK;
}
