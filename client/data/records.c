/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/records.h"

#include <errno.h>
#include <stdlib.h>

#include "client/data/source.h"
#include "client/data/table.h"
#include "client/data/text.h"

enum {
    ARG_SPLIT = 256,
    ARG_CSV,
    ARG_SCHEMA,
    ARG_FOLDER,
    ARG_NIFTI,
    ARG_TEXT,
    ARG_STRIDE,
    ARG_SIZE,
    ARG_WINDOW,
    ARG_HELD_IMAGES,
    ARG_HELD_LABELS,
    ARG_HELD_SPLIT,
    ARG_HELD_CSV,
    ARG_HELD_FOLDER,
    ARG_HELD_NIFTI,
    ARG_HELD_TEXT
};

static const struct argp_option options[] = {
    {"images", 'i', "FILE", 0, "Images, idx or idx.gz", 0},
    {"labels", 'l', "FILE", 0, "Their labels, idx or idx.gz", 0},
    {"npz", 'z', "FILE", 0, "Images and labels as MedMNIST has them", 0},
    {"split", ARG_SPLIT, "NAME", 0, "train, val or test of the npz (train)", 0},
    {"csv", ARG_CSV, "FILE", 0, "A table, csv or csv.gz, with --schema", 0},
    {"schema", ARG_SCHEMA, "FILE", 0, "What its columns mean; see docs/data.md", 0},
    {"folder", ARG_FOLDER, "DIR", 0, "PNG and JPEG images as DIR/CLASS/FILE", 0},
    {"nifti", ARG_NIFTI, "FILE", 0, "A list of NIfTI volumes: FILE,LABEL[,FIRST,LAST]", 0},
    {"text", ARG_TEXT, "FILE", 0, "Plain text, cut into as many characters as the model reads", 0},
    {"stride", ARG_STRIDE, "N", 0,
     "Characters from one record of --text to the next (one more than it has: none shares any)", 0},
    {"size", ARG_SIZE, "CxHxW", 0, "Bring images of --folder and --nifti to this size: 1x28x28", 0},
    {"window", ARG_WINDOW, "LOW:HIGH", 0, "Values of --nifti that become black and white", 0},
    {"holdout-images", ARG_HELD_IMAGES, "FILE", 0,
     "Images that are held out for evaluations, idx or idx.gz", 0},
    {"holdout-labels", ARG_HELD_LABELS, "FILE", 0, "Their labels", 0},
    {"holdout-split", ARG_HELD_SPLIT, "NAME", 0, "The same from the npz, e.g. val", 0},
    {"holdout-csv", ARG_HELD_CSV, "FILE", 0, "The same as a table with the same schema", 0},
    {"holdout-folder", ARG_HELD_FOLDER, "DIR", 0, "The same as folders of classes", 0},
    {"holdout-nifti", ARG_HELD_NIFTI, "FILE", 0, "The same as a list of volumes", 0},
    {"holdout-text", ARG_HELD_TEXT, "FILE", 0, "The same as plain text", 0},
    {0}};

static bool parse_size(struct data_shape *out, const char *text)
{
    uint32_t part[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        if (*text < '1' || *text > '9') return false;
        char *end = NULL;
        const unsigned long x = strtoul(text, &end, 10);
        if (x > UINT16_MAX || *end != (i < 2 ? 'x' : 0)) return false;
        part[i] = (uint32_t)x;
        text = end + 1;
    }
    *out = (struct data_shape){part[0], part[1], part[2]};
    return part[0] == 1 || part[0] == 3;
}

static bool parse_stride(uint32_t *out, const char *text)
{
    char *end = NULL;
    const unsigned long x = strtoul(text, &end, 10);
    *out = (uint32_t)x;
    return *text >= '1' && *text <= '9' && *end == 0 && x <= UINT16_MAX;
}

static bool parse_window(struct data_window *out, const char *text)
{
    char *end = NULL;
    out->low = strtod(text, &end);
    return end != text && *end == ':' && table_number(&out->high, end + 1) && out->low < out->high;
}

/* Of the options that are taken as they are said: where in struct records. */
static const struct {
    int key;
    size_t at;
} said[] = {
    {'i', offsetof(struct records, train.images)},
    {'l', offsetof(struct records, train.labels)},
    {'z', offsetof(struct records, train.npz)},
    {ARG_SPLIT, offsetof(struct records, train.split)},
    {ARG_CSV, offsetof(struct records, train.csv)},
    {ARG_SCHEMA, offsetof(struct records, schema)},
    {ARG_FOLDER, offsetof(struct records, train.folder)},
    {ARG_NIFTI, offsetof(struct records, train.nifti)},
    {ARG_TEXT, offsetof(struct records, train.text)},
    {ARG_HELD_IMAGES, offsetof(struct records, held.images)},
    {ARG_HELD_LABELS, offsetof(struct records, held.labels)},
    {ARG_HELD_SPLIT, offsetof(struct records, held.split)},
    {ARG_HELD_CSV, offsetof(struct records, held.csv)},
    {ARG_HELD_FOLDER, offsetof(struct records, held.folder)},
    {ARG_HELD_NIFTI, offsetof(struct records, held.nifti)},
    {ARG_HELD_TEXT, offsetof(struct records, held.text)},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct records *r = state->input;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        if (key != said[i].key) continue;
        *(const char **)(void *)((char *)r + said[i].at) = text;
        return 0;
    }
    switch (key) {
    case ARG_STRIDE:
        if (parse_stride(&r->stride, text)) return 0;
        argp_error(state, "--stride %s: it is a whole number from 1 to 65535", text);
        return EINVAL;
    case ARG_SIZE:
        if (parse_size(&r->size, text)) return 0;
        argp_error(state, "--size %s: it is CxHxW with 1 or 3 channels, e.g. 1x28x28", text);
        return EINVAL;
    case ARG_WINDOW:
        if (parse_window(&r->window, text)) return 0;
        argp_error(state, "--window %s: it is LOW:HIGH, e.g. --window=-1000:400", text);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp records_argp = {.options = options, .parser = parse};

/* In how many ways a set is named. */
static int ways(const struct origin *o)
{
    return (o->images != NULL || o->labels != NULL) + (o->npz != NULL) + (o->csv != NULL) +
           (o->folder != NULL) + (o->nifti != NULL) + (o->text != NULL);
}

bool origin_named(const struct origin *origin)
{
    return ways(origin) > 0 || origin->split != NULL;
}

bool records_named(const struct records *records)
{
    const struct records *r = records;
    return origin_named(&r->train) || origin_named(&r->held) || r->schema != NULL ||
           r->size.channels != 0 || r->window.low < r->window.high || r->stride != 0;
}

bool records_sized(const struct records *records)
{
    return records->train.folder != NULL || records->train.nifti != NULL ||
           records->train.text != NULL;
}

void records_fit(struct records *records, const struct model_spec *spec)
{
    if (!records_sized(records) || records->size.channels != 0) return;
    records->size = (struct data_shape){spec->channels, spec->height, spec->width};
}

const char *records_usage(const struct records *records)
{
    const struct origin *o = &records->train, *h = &records->held;
    if (ways(o) != 1 || (o->images == NULL) != (o->labels == NULL))
        return "data are needed in one way: --npz, --images with --labels, --csv with --schema, "
               "--folder, --nifti with --window, or --text";
    if ((o->csv == NULL) != (records->schema == NULL)) return "--csv needs --schema";
    if ((o->nifti == NULL) != !(records->window.low < records->window.high))
        return "--nifti needs --window, the values that become black and white";
    if (o->text == NULL && records->stride != 0) return "--stride is of --text";
    const int held = ways(h) + (h->split != NULL);
    if (held > 1 || (h->images == NULL) != (h->labels == NULL) ||
        (h->split != NULL && o->npz == NULL) || (h->images != NULL && ways(o) != 1) ||
        (h->csv != NULL && o->csv == NULL) || (h->folder != NULL && o->folder == NULL) ||
        (h->nifti != NULL && o->nifti == NULL) || (h->text != NULL && o->text == NULL))
        return "held-out data are --holdout-images and --holdout-labels, a --holdout-split of the "
               "--npz, or --holdout-csv, -folder, -nifti or -text beside the same way of naming "
               "the "
               "others";
    return NULL;
}

static enum status windows_read(struct dataset *out, const char *path,
                                const struct records *records, struct data_error *why)
{
    const struct data_shape *size = &records->size;
    if (size->channels != 1 || size->height != 1)
        return source_refuse(
            why, STATUS_RANGE,
            "text is one row of characters: a study of kind lstm, or --size 1x1xN");
    const struct text_how how = {
        .length = size->width, .stride = records->stride == 0 ? size->width + 1 : records->stride};
    return text_read(out, path, &how, why);
}

static enum status origin_read(struct dataset *out, const struct origin *o,
                               const struct records *records, struct data_error *why)
{
    if (o->npz != NULL) return npz_read(out, o->npz, o->split == NULL ? "train" : o->split, why);
    if (o->csv != NULL) return csv_read(out, o->csv, records->schema, why);
    if (o->images != NULL) return idx_read(out, o->images, o->labels, why);
    if (records->size.channels == 0)
        return source_refuse(why, STATUS_RANGE, "no size is known for the images; give --size");
    if (o->text != NULL) return windows_read(out, o->text, records, why);
    if (o->folder != NULL) return folder_read(out, o->folder, &records->size, why);
    return nifti_read(out, o->nifti, &records->size, &records->window, why);
}

enum status records_read(struct dataset *data, struct dataset *held, const struct records *records,
                         struct data_error *why)
{
    AUTO(dataset_free) struct dataset train = {0};
    AUTO(dataset_free) struct dataset other = {0};
    struct origin h = records->held;
    if (h.split != NULL) h.npz = records->train.npz;
    TRY(origin_read(&train, &records->train, records, why));
    if (ways(&h) > 0) TRY(origin_read(&other, &h, records, why));
    *data = train;
    *held = other;
    train = other = (struct dataset){0};
    return STATUS_OK;
}
