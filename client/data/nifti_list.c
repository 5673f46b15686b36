/* SPDX-License-Identifier: Apache-2.0 */
/* A list of volumes, a table with the rows FILE,LABEL or FILE,LABEL,FIRST,LAST (planes from 0, both
 * included). Paths are relative to the list; rows of one file that follow each other are one key.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "client/data/nifti.h"
#include "client/data/table.h"

#define LIST_BYTES_MAX (1u << 24)
#define KEY_MAX UINT16_MAX

struct walk {
    const struct data_shape *shape;
    const struct data_window *window;
    const char *list; /* its path */
    struct table table;
    struct view *field;       /* TABLE_FIELDS_MAX */
    char path[FILE_PATH_MAX]; /* of the volume that is open */
    struct nifti volume;
    struct dataset data;
    size_t room; /* records that data has places for */
    uint32_t key;
};

static void walk_free(struct walk *walk)
{
    free(walk->field);
    nifti_free(&walk->volume);
    /* Places that hold no record yet were never written. */
    dataset_free(&walk->data);
}

static enum status refuse_row(const struct walk *walk, enum status status, const char *what,
                              struct data_error *why)
{
    return source_refuse(why, status, "line %u of the list of volumes: %s",
                         (unsigned)walk->table.line, what);
}

/* Open a row's volume unless the row before has. */
static enum status open_volume(struct walk *walk, const char *name, struct data_error *why)
{
    char path[FILE_PATH_MAX] = "", folder[FILE_PATH_MAX] = ".";
    const char *slash = strrchr(walk->list, '/');
    const size_t n = slash == NULL ? 0 : (size_t)(slash - walk->list) + 1;
    if (n >= sizeof folder) return refuse_row(walk, STATUS_RANGE, "its path is too long", why);
    if (n > 0) {
        memcpy(folder, walk->list, n);
        folder[n] = 0;
    }
    if (name[0] == '/') folder[0] = 0;
    if (file_path(path, sizeof path, folder, name) != STATUS_OK)
        return refuse_row(walk, STATUS_RANGE, "its path is too long", why);
    if (strcmp(path, walk->path) == 0) return STATUS_OK;
    if (walk->path[0] != 0 && ++walk->key > KEY_MAX)
        return refuse_row(walk, STATUS_RANGE, "more than 65536 volumes; split the list", why);
    nifti_free(&walk->volume);
    AUTO(buffer_wipe) struct buffer bytes = {0};
    TRY(source_read(&bytes, path, NIFTI_BYTES_MAX, why));
    struct data_error inner = {{0}};
    const enum status status = nifti_parse(&walk->volume, buffer_view(&bytes), &inner);
    if (status != STATUS_OK) return refuse_row(walk, status, inner.text, why);
    memcpy(walk->path, path, sizeof path);
    return STATUS_OK;
}

/* Whole number of a field within 0..most. */
static bool field_count(uint64_t *out, struct view field, uint64_t most)
{
    char text[TABLE_TEXT_MAX];
    double x = 0;
    if (!table_text(text, field) || !table_number(&x, text)) return false;
    if (!(x >= 0 && x <= (double)most) || x != floor(x)) return false;
    *out = (uint64_t)x;
    return true;
}

/* Places for more records, at least twice as many as there were. */
static enum status make_room(struct walk *walk, uint64_t more, struct data_error *why)
{
    struct dataset *data = &walk->data;
    const uint64_t wanted = data->n + more;
    AUTO(dataset_free) struct dataset grown = {0};
    const struct data_shape *s = walk->shape;
    TRY(source_shape(&grown, wanted, s->channels, s->height, s->width, why));
    if (wanted <= walk->room) return STATUS_OK;
    const uint64_t twice = 2 * (uint64_t)walk->room;
    struct data_error ignored = {{0}};
    if (wanted < twice)
        (void)!source_shape(&grown, twice, s->channels, s->height, s->width, &ignored);
    TRY(source_new(&grown, why));
    grown.key = calloc(grown.n, sizeof *grown.key);
    if (grown.key == NULL) return source_refuse(why, STATUS_NOMEM, "no memory for the volumes");
    walk->room = grown.n;
    grown.n = data->n;
    grown.clamped = data->clamped;
    grown.missing = data->missing;
    if (data->n > 0) {
        memcpy(grown.pixel, data->pixel, data->n * dataset_floats(data));
        memcpy(grown.label, data->label, data->n);
        memcpy(grown.key, data->key, data->n * sizeof *data->key);
    }
    const struct dataset old = *data;
    *data = grown;
    grown = old;
    return STATUS_OK;
}

static enum status read_row(struct walk *walk, size_t n_fields, struct data_error *why)
{
    char name[TABLE_TEXT_MAX];
    uint64_t label = 0;
    if ((n_fields != 2 && n_fields != 4) || !table_text(name, walk->field[0]) || name[0] == 0 ||
        !field_count(&label, walk->field[1], UINT8_MAX))
        return refuse_row(walk, STATUS_FORMAT,
                          "it is FILE,LABEL or FILE,LABEL,FIRST,LAST with a label from 0 to 255",
                          why);
    TRY(open_volume(walk, name, why));
    uint64_t first = 0, last = walk->volume.planes - 1;
    if (n_fields == 4 && (!field_count(&first, walk->field[2], last) ||
                          !field_count(&last, walk->field[3], last) || last < first))
        return refuse_row(walk, STATUS_FORMAT, "the volume has no such planes", why);
    TRY(make_room(walk, last - first + 1, why));
    struct dataset *data = &walk->data;
    for (uint64_t plane = first; plane <= last; plane++) {
        AUTO(image_free) struct image image = {0};
        TRY(nifti_plane(&image, &walk->volume, plane, walk->window, data, why));
        image_fit(data->pixel + data->n * dataset_floats(data), data->channels, data->height,
                  data->width, &image);
        data->key[data->n] = (uint16_t)walk->key;
        data->label[data->n++] = (uint8_t)label;
    }
    return STATUS_OK;
}

enum status nifti_read(struct dataset *out, const char *list, const struct data_shape *shape,
                       const struct data_window *window, struct data_error *why)
{
    if (!(window->low < window->high))
        return source_refuse(why, STATUS_RANGE, "the window's low end is not below its high end");
    if (shape->channels != 1 && shape->channels != 3)
        return source_refuse(why, STATUS_RANGE, "planes have 1 or 3 channels, not %u",
                             (unsigned)shape->channels);
    AUTO(buffer_free) struct buffer bytes = {0};
    TRY(source_read(&bytes, list, LIST_BYTES_MAX, why));
    AUTO(walk_free)
    struct walk walk = {.shape = shape,
                        .window = window,
                        .list = list,
                        .table = table_of(buffer_view(&bytes), ','),
                        .field = calloc(TABLE_FIELDS_MAX, sizeof *walk.field)};
    if (walk.field == NULL) return source_refuse(why, STATUS_NOMEM, "no memory for a list");
    for (size_t n = table_row(&walk.table, walk.field); n > 0;
         n = table_row(&walk.table, walk.field))
        TRY(read_row(&walk, n, why));
    if (walk.table.bad) return refuse_row(&walk, STATUS_FORMAT, "its quotes are broken", why);
    if (walk.data.n == 0) return source_refuse(why, STATUS_FORMAT, "the list of volumes is empty");
    source_count_classes(&walk.data);
    *out = walk.data;
    walk.data = (struct dataset){0};
    return STATUS_OK;
}
