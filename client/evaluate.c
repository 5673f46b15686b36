/* SPDX-License-Identifier: Apache-2.0 */
#include "client/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "dp/count.h"

#define CLASSES_MAX 256 /* labels are bytes */

struct cells {
    uint32_t count[COUNT_KINDS * CLASSES_MAX]; /* secret */
};

static void cells_wipe(struct cells *cells)
{
    secret_wipe(cells, sizeof *cells);
}

enum status evaluate_run(struct encoded *out, struct local *local, const struct plan *plan)
{
    const size_t classes = local->study->model.spec.classes;
    const enum count_unit unit =
        local->study->privacy.unit == STUDY_PATIENT ? COUNT_RECORDS : COUNT_SHARES;
    AUTO(cells_wipe) struct cells cells = {{0}};
    for (uint32_t i = 0; i < local->held.n; i++) {
        const size_t wrong = local_is_right(local, i) ? 0 : classes;
        cells.count[wrong + local->held.label[i]]++;
    }
    return count_encode(out, cells.count, COUNT_KINDS * classes, unit, &plan->grid);
}

uint64_t evaluate_most(const struct local *local)
{
    AUTO(cells_wipe) struct cells cells = {{0}};
    uint32_t most = 0;
    for (size_t i = 0; i < local->held.n; i++) {
        uint32_t *count = &cells.count[local->held.label[i]];
        (*count)++;
        most = *count > most ? *count : most;
    }
    return most;
}

/* The hashes of a data set's records, sorted. */
struct index {
    size_t n;
    struct hash *hash; /* secret */
};

static void index_free(struct index *index)
{
    if (index->hash != NULL) secret_wipe(index->hash, index->n * sizeof *index->hash);
    free(index->hash);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct hash));
}

static struct hash record_hash(const struct dataset *data, size_t i)
{
    const size_t pixels = dataset_floats(data);
    return hash_of("record", (struct view){data->pixel + i * pixels, pixels});
}

enum status evaluate_shared(size_t *out, const struct local *local)
{
    const struct dataset *data = &local->data;
    AUTO(index_free) struct index index = {.n = data->n};
    index.hash = calloc(data->n, sizeof *index.hash);
    if (index.hash == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < data->n; i++) index.hash[i] = record_hash(data, i);
    qsort(index.hash, index.n, sizeof *index.hash, compare);
    size_t shared = 0;
    for (size_t i = 0; i < local->held.n; i++) {
        const struct hash hash = record_hash(&local->held, i);
        shared += bsearch(&hash, index.hash, index.n, sizeof hash, compare) != NULL;
    }
    *out = shared;
    return STATUS_OK;
}
