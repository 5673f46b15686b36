/* SPDX-License-Identifier: Apache-2.0 */
/* MedMNIST's npz: a zip archive of NumPy arrays, stored or deflated. What an array's header says is
 * compared with the archive's directory before anything is allocated. */
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "client/data/npy.h"
#include "client/data/source.h"

#define NAME_MAX_BYTES 64

/* One array of the archive: its header, and the bytes after it. */
struct entry {
    zip_file_t *file;
    struct npy npy;
    uint64_t bytes; /* after the header */
};

static void entry_free(struct entry *entry)
{
    if (entry->file != NULL) (void)zip_fclose(entry->file);
    *entry = (struct entry){0};
}

static void archive_free(zip_t **archive)
{
    if (*archive != NULL) zip_discard(*archive);
}

/* Read exactly n bytes. */
static bool entry_take(struct entry *entry, void *out, size_t n)
{
    uint8_t *at = out;
    while (n > 0) {
        zip_int64_t got = zip_fread(entry->file, at, n);
        if (got <= 0) return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

/* Whether nothing is left; reaching the end also checks the CRC. */
static bool entry_ended(struct entry *entry)
{
    uint8_t past = 0;
    return zip_fread(entry->file, &past, 1) == 0;
}

/* Whether the directory's sizes can be true, given how much an archive of n bytes can hold. */
static bool plausible(const zip_stat_t *about, size_t n)
{
    const zip_uint64_t needed =
        ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if ((about->valid & needed) != needed || about->comp_size > n) return false;
    if (about->encryption_method != ZIP_EM_NONE) return false;
    if (about->comp_method == ZIP_CM_STORE) return about->size == about->comp_size;
    return about->comp_method == ZIP_CM_DEFLATE &&
           about->size / SOURCE_DEFLATE_MAX <= about->comp_size;
}

/* Read the header and hold the directory's size against it. */
static bool entry_header(struct entry *entry, uint64_t size)
{
    uint8_t magic[NPY_MAGIC_BYTES] = {0};
    if (!entry_take(entry, magic, sizeof magic)) return false;
    uint32_t n_length = npy_length_bytes(magic);
    uint8_t length[4] = {0};
    if (n_length == 0 || !entry_take(entry, length, n_length)) return false;
    uint32_t n_text = (uint32_t)length[3] << 24 | (uint32_t)length[2] << 16 |
                      (uint32_t)length[1] << 8 | length[0];
    uint8_t text[NPY_TEXT_MAX] = {0};
    if (n_text > sizeof text || !entry_take(entry, text, n_text)) return false;
    if (npy_parse(&entry->npy, (struct view){text, n_text}) != STATUS_OK) return false;

    entry->bytes = entry->npy.item_bytes;
    for (uint32_t d = 0; d < entry->npy.n_dims; d++)
        if (__builtin_mul_overflow(entry->bytes, entry->npy.dim[d], &entry->bytes)) return false;
    return entry->bytes <= size && size - entry->bytes == sizeof magic + n_length + n_text;
}

/* Open the array split_what, "train_images". */
static enum status entry_open(struct entry *out, zip_t *archive, size_t n, const char *split,
                              const char *what, struct data_error *why)
{
    char name[NAME_MAX_BYTES] = {0};
    size_t bytes = strlen(split) + strlen(what) + sizeof "_.npy";
    if (bytes > sizeof name)
        return source_refuse(why, STATUS_FORMAT, "the split is none of train, val and test");
    memcpy(stpcpy(stpcpy(stpcpy(name, split), "_"), what), ".npy", sizeof ".npy");

    zip_stat_t about;
    zip_stat_init(&about);
    if (zip_stat(archive, name, 0, &about) != 0)
        return source_refuse(why, STATUS_FORMAT,
                             "the archive has no array %s; is it a MedMNIST file, and the split "
                             "train, val or test?",
                             name);
    if (!plausible(&about, n))
        return source_refuse(why, STATUS_FORMAT,
                             "%s is encrypted, not stored or deflated, or lies about its size; "
                             "save it again with numpy.savez",
                             name);
    AUTO(entry_free) struct entry entry = {.file = zip_fopen(archive, name, 0)};
    if (entry.file == NULL || !entry_header(&entry, about.size))
        return source_refuse(why, STATUS_FORMAT,
                             "%s is damaged or not an array of integers in C order; save it again "
                             "with numpy.savez",
                             name);
    *out = entry;
    entry = (struct entry){0};
    return STATUS_OK;
}

/* From one pixel after the other to one channel after the other. */
static void planes(uint8_t *out, const uint8_t *in, size_t n_pixels, size_t channels)
{
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < n_pixels; i++) out[c * n_pixels + i] = in[i * channels + c];
}

static enum status read_images(struct dataset *data, struct entry *entry, struct data_error *why)
{
    const size_t floats = dataset_floats(data);
    uint8_t *record = malloc(floats);
    if (record == NULL) return source_refuse(why, STATUS_NOMEM, "no memory for an image");
    bool whole = true;
    for (size_t i = 0; i < data->n && whole; i++) {
        whole = entry_take(entry, record, floats);
        if (whole)
            planes(data->pixel + i * floats, record, floats / data->channels, data->channels);
    }
    free(record);
    if (whole && entry_ended(entry)) return STATUS_OK;
    return source_refuse(why, STATUS_FORMAT, "the images are damaged; download the file again");
}

static enum status read_labels(struct dataset *data, struct entry *entry, struct data_error *why)
{
    for (size_t i = 0; i < data->n; i++) {
        uint8_t item[8] = {0};
        if (!entry_take(entry, item, entry->npy.item_bytes))
            return source_refuse(why, STATUS_FORMAT,
                                 "the labels are damaged; download the file again");
        uint8_t rest = entry->npy.item_bytes == 1 && entry->npy.is_signed ? item[0] & 0x80 : 0;
        for (unsigned b = 1; b < sizeof item; b++) rest |= item[b];
        if (rest != 0)
            return source_refuse(why, STATUS_FORMAT,
                                 "label %zu is not in 0..255; number the classes from 0", i);
        data->label[i] = item[0];
    }
    if (entry_ended(entry)) return STATUS_OK;
    return source_refuse(why, STATUS_FORMAT, "the labels are damaged; download the file again");
}

static enum status read_split(struct dataset *out, zip_t *archive, size_t n, const char *split,
                              struct data_error *why)
{
    AUTO(entry_free) struct entry images = {0};
    TRY(entry_open(&images, archive, n, split, "images", why));
    const struct npy *shape = &images.npy;
    bool grey = shape->n_dims == 3;
    if (shape->item_bytes != 1 || shape->is_signed ||
        !(grey || (shape->n_dims == 4 && shape->dim[3] == 3)))
        return source_refuse(why, STATUS_FORMAT,
                             "the images are not uint8 of shape (n, h, w) or (n, h, w, 3); "
                             "convert them");
    AUTO(dataset_free) struct dataset data = {0};
    TRY(source_shape(&data, shape->dim[0], grey ? 1 : 3, shape->dim[1], shape->dim[2], why));
    AUTO(entry_free) struct entry labels = {0};
    TRY(entry_open(&labels, archive, n, split, "labels", why));
    bool flat = labels.npy.n_dims == 1 || (labels.npy.n_dims == 2 && labels.npy.dim[1] == 1);
    if (!flat || labels.npy.dim[0] != shape->dim[0])
        return source_refuse(why, STATUS_FORMAT,
                             "there is not one label per image; give labels of shape (n) or "
                             "(n, 1)");

    TRY(source_new(&data, why));
    TRY(read_images(&data, &images, why));
    TRY(read_labels(&data, &labels, why));
    source_count_classes(&data);
    *out = data;
    data = (struct dataset){0};
    return STATUS_OK;
}

enum status npz_parse(struct dataset *out, struct view bytes, const char *split,
                      struct data_error *why)
{
    zip_error_t error = {0};
    zip_source_t *source = zip_source_buffer_create(bytes.at, bytes.n, 0, &error);
    if (source == NULL) return source_refuse(why, STATUS_NOMEM, "no memory to open the archive");
    AUTO(archive_free)
    zip_t *archive = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    if (archive == NULL) {
        zip_source_free(source);
        bool memory = zip_error_code_zip(&error) == ZIP_ER_MEMORY;
        return source_refuse(why, memory ? STATUS_NOMEM : STATUS_FORMAT,
                             "the file is no sound zip archive; download it again");
    }
    return read_split(out, archive, bytes.n, split, why);
}

enum status npz_read(struct dataset *out, const char *path, const char *split,
                     struct data_error *why)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    TRY(source_read(&bytes, path, DATA_BYTES_MAX, why));
    return npz_parse(out, buffer_view(&bytes), split, why);
}
