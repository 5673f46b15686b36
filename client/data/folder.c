/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of images: DIR/CLASS/FILE. Classes are numbered in the byte order of their names, and so
 * are the images of a class. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "client/data/image.h"

#define CLASSES_MAX 256

/* Sorted entries of a folder without those that begin with a dot. */
struct listing {
    struct dirent **entry;
    int n;
};

static void listing_free(struct listing *listing)
{
    for (int i = 0; i < listing->n; i++) free(listing->entry[i]);
    free(listing->entry);
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum status listing_read(struct listing *out, const char *path, struct data_error *why)
{
    out->n = scandir(path, &out->entry, is_shown, compare);
    if (out->n >= 0) return STATUS_OK;
    *out = (struct listing){0};
    return source_refuse(why, STATUS_IO, "%.150s is no folder that can be read", path);
}

static enum status join(char out[static FILE_PATH_MAX], const char *folder, const char *name,
                        struct data_error *why)
{
    if (file_path(out, FILE_PATH_MAX, folder, name) == STATUS_OK) return STATUS_OK;
    return source_refuse(why, STATUS_RANGE, "the path of %.100s is too long", name);
}

/* Read the images of one class behind those that are there; pixel NULL only counts them. */
static enum status read_class(struct dataset *data, size_t *at, const char *folder, uint8_t label,
                              struct data_error *why)
{
    AUTO(listing_free) struct listing files = {0};
    TRY(listing_read(&files, folder, why));
    if (data->pixel == NULL) {
        *at += (size_t)files.n;
        return STATUS_OK;
    }
    for (int i = 0; i < files.n; i++) {
        char path[FILE_PATH_MAX];
        TRY(join(path, folder, files.entry[i]->d_name, why));
        if (*at == data->n)
            return source_refuse(why, STATUS_IO, "%.150s changed while it was read", folder);
        AUTO(buffer_wipe) struct buffer bytes = {0};
        TRY(source_read(&bytes, path, IMAGE_FILE_MAX, why));
        AUTO(image_free) struct image image = {0};
        struct data_error inner = {{0}};
        const enum status status = image_decode(&image, buffer_view(&bytes), &inner);
        if (status != STATUS_OK)
            return source_refuse(why, status, "%.80s: %.100s",
                                 path + (strlen(path) > 80 ? strlen(path) - 80 : 0), inner.text);
        image_fit(data->pixel + *at * dataset_floats(data), data->channels, data->height,
                  data->width, &image);
        data->label[(*at)++] = label;
    }
    return STATUS_OK;
}

/* All classes: counts first, and then reads. */
static enum status read_classes(struct dataset *data, size_t *at, const char *folder,
                                const struct listing *classes, struct data_error *why)
{
    for (int k = 0; k < classes->n; k++) {
        char path[FILE_PATH_MAX];
        TRY(join(path, folder, classes->entry[k]->d_name, why));
        TRY(read_class(data, at, path, (uint8_t)k, why));
    }
    return STATUS_OK;
}

enum status folder_read(struct dataset *out, const char *folder, const struct data_shape *shape,
                        struct data_error *why)
{
    AUTO(dataset_free) struct dataset data = {0};
    AUTO(listing_free) struct listing classes = {0};
    TRY(listing_read(&classes, folder, why));
    if (classes.n > CLASSES_MAX)
        return source_refuse(why, STATUS_RANGE, "%.100s has more than 256 folders of classes",
                             folder);
    if (shape->channels != 1 && shape->channels != 3)
        return source_refuse(why, STATUS_RANGE,
                             "images have 1 or 3 channels, not %u; see the size that is wanted",
                             (unsigned)shape->channels);
    size_t n = 0, at = 0;
    TRY(read_classes(&data, &n, folder, &classes, why));
    TRY(source_shape(&data, n, shape->channels, shape->height, shape->width, why));
    TRY(source_new(&data, why));
    TRY(read_classes(&data, &at, folder, &classes, why));
    if (at != n) return source_refuse(why, STATUS_IO, "%.150s changed while it was read", folder);
    data.classes = (uint32_t)classes.n;
    *out = data;
    data = (struct dataset){0};
    return STATUS_OK;
}
