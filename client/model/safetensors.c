/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/safetensors.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/data/source.h"

#define METADATA "__metadata__"

static const struct {
    const char *name;
    size_t bytes;
} type_of[] = {
    [SAFETENSORS_F16] = {"F16", 2},
    [SAFETENSORS_BF16] = {"BF16", 2},
    [SAFETENSORS_F32] = {"F32", 4},
    [SAFETENSORS_F64] = {"F64", 8},
};
#define TYPES (sizeof type_of / sizeof *type_of)

void safetensors_free(struct safetensors *file)
{
    json_decref(file->header);
    free(file->tensor);
    *file = (struct safetensors){0};
}

uint64_t safetensors_count(const struct safetensors_tensor *tensor)
{
    return tensor->data.n / type_of[tensor->type].bytes;
}

/* IEEE 754's half precision. */
static float half(uint16_t bits)
{
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    float x = exponent == 0    ? ldexpf((float)fraction, -24)
              : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                               : ldexpf((float)(fraction + 1024), exponent - 25);
    return bits >> 15 == 0 ? x : -x;
}

/* The upper half of a float. */
static float brain(uint16_t bits)
{
    const uint32_t wide = (uint32_t)bits << 16;
    float x;
    memcpy(&x, &wide, sizeof x);
    return x;
}

static float read_number(struct reader *r, enum safetensors_type type)
{
    switch (type) {
    case SAFETENSORS_F16:
        return half(read_u16(r));
    case SAFETENSORS_BF16:
        return brain(read_u16(r));
    case SAFETENSORS_F64:
        return (float)read_f64(r);
    case SAFETENSORS_F32:
    default:
        return read_f32(r);
    }
}

void safetensors_floats(float *out, const struct safetensors_tensor *tensor)
{
    const uint64_t n = safetensors_count(tensor);
    struct reader r = reader_of(tensor->data);
    for (uint64_t i = 0; i < n; i++) out[i] = read_number(&r, tensor->type);
}

static bool all_finite(const struct safetensors_tensor *tensor)
{
    const uint64_t n = safetensors_count(tensor);
    struct reader r = reader_of(tensor->data);
    for (uint64_t i = 0; i < n; i++)
        if (!isfinite(read_number(&r, tensor->type))) return false;
    return true;
}

/* A whole number of the header; false when it is none, or negative. */
static bool whole(uint64_t *out, const json_t *value)
{
    const json_int_t x = json_integer_value(value);
    if (!json_is_integer(value) || x < 0) return false;
    *out = (uint64_t)x;
    return true;
}

static enum status read_type(struct safetensors_tensor *tensor, const json_t *entry,
                             struct data_error *why)
{
    const char *name = json_string_value(json_object_get(entry, "dtype"));
    for (size_t t = 0; t < TYPES; t++)
        if (name != NULL && strcmp(name, type_of[t].name) == 0) {
            tensor->type = (enum safetensors_type)t;
            return STATUS_OK;
        }
    return source_refuse(why, STATUS_FORMAT,
                         "tensor %.60s has dtype %.20s; export it as F32, F16, BF16 or F64",
                         tensor->name, name == NULL ? "of no text" : name);
}

/* The shape, and how many bytes it promises. */
static enum status read_shape(struct safetensors_tensor *tensor, uint64_t *bytes,
                              const json_t *entry, struct data_error *why)
{
    const json_t *shape = json_object_get(entry, "shape");
    if (!json_is_array(shape))
        return source_refuse(why, STATUS_FORMAT, "tensor %.60s has no shape", tensor->name);
    tensor->n_dims = json_array_size(shape);
    if (tensor->n_dims > SAFETENSORS_DIMS_MAX)
        return source_refuse(why, STATUS_RANGE, "tensor %.60s has more than %d dimensions",
                             tensor->name, SAFETENSORS_DIMS_MAX);
    *bytes = type_of[tensor->type].bytes;
    for (size_t d = 0; d < tensor->n_dims; d++) {
        if (!whole(&tensor->dim[d], json_array_get(shape, d)) || tensor->dim[d] == 0)
            return source_refuse(why, STATUS_FORMAT,
                                 "tensor %.60s has a dimension that is no positive whole number",
                                 tensor->name);
        if (__builtin_mul_overflow(*bytes, tensor->dim[d], bytes) || *bytes > SAFETENSORS_BYTES_MAX)
            return source_refuse(why, STATUS_RANGE, "tensor %.60s claims more than 2 GiB",
                                 tensor->name);
    }
    return STATUS_OK;
}

static enum status read_tensor(struct safetensors_tensor *out, const char *name,
                               const json_t *entry, struct view data, struct data_error *why)
{
    struct safetensors_tensor tensor = {.name = name};
    uint64_t bytes = 0, from = 0, to = 0;
    const json_t *place = json_object_get(entry, "data_offsets");
    if (!json_is_object(entry) || json_object_size(entry) != 3 || json_array_size(place) != 2)
        return source_refuse(why, STATUS_FORMAT,
                             "tensor %.60s needs a dtype, a shape and two data_offsets", name);
    TRY(read_type(&tensor, entry, why));
    TRY(read_shape(&tensor, &bytes, entry, why));
    if (!whole(&from, json_array_get(place, 0)) || !whole(&to, json_array_get(place, 1)) ||
        from > to || to > data.n || to - from != bytes)
        return source_refuse(why, STATUS_FORMAT,
                             "tensor %.60s does not lie where data_offsets say, or is not as long "
                             "as its shape; export the file again",
                             name);
    tensor.data = (struct view){data.at + from, bytes};
    if (!all_finite(&tensor))
        return source_refuse(why, STATUS_FORMAT,
                             "tensor %.60s has numbers that are infinite or none; the training "
                             "that made it diverged",
                             name);
    *out = tensor;
    return STATUS_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct safetensors_tensor *x = a, *y = b;
    return (x->data.at > y->data.at) - (x->data.at < y->data.at);
}

/* One behind the other, from the first byte to the last: no gap in which something could hide, and
 * nothing that two tensors share. */
static enum status check_places(const struct safetensors *file, struct view data,
                                struct data_error *why)
{
    const uint8_t *end = data.at;
    for (size_t i = 0; i < file->n; i++) {
        if (file->tensor[i].data.at != end)
            return source_refuse(why, STATUS_FORMAT,
                                 "tensor %.60s overlaps another, or bytes before it belong to none",
                                 file->tensor[i].name);
        end += file->tensor[i].data.n;
    }
    if (end != data.at + data.n)
        return source_refuse(why, STATUS_FORMAT, "bytes at the end belong to no tensor");
    return STATUS_OK;
}

static enum status read_tensors(struct safetensors *file, struct view data, struct data_error *why)
{
    file->tensor = calloc(json_object_size(file->header) + 1, sizeof *file->tensor);
    if (file->tensor == NULL)
        return source_refuse(why, STATUS_NOMEM, "no memory for the names of the tensors");
    const char *name = NULL;
    json_t *entry = NULL;
    json_object_foreach(file->header, name, entry)
    {
        if (strcmp(name, METADATA) == 0) continue;
        TRY(read_tensor(&file->tensor[file->n], name, entry, data, why));
        file->n++;
    }
    if (file->n == 0)
        return source_refuse(why, STATUS_FORMAT, "the file has no tensors; export it again");
    qsort(file->tensor, file->n, sizeof *file->tensor, by_place);
    return check_places(file, data, why);
}

static enum status check_metadata(const struct safetensors *file, struct data_error *why)
{
    json_t *metadata = json_object_get(file->header, METADATA);
    bool texts = metadata == NULL || json_is_object(metadata);
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(metadata, key, value) texts = texts && json_is_string(value);
    return texts ? STATUS_OK
                 : source_refuse(why, STATUS_FORMAT, "%s is not a map of texts", METADATA);
}

/* The header into memory, and where the numbers are. */
static enum status read_header(struct safetensors *file, struct view *data, struct view bytes,
                               struct data_error *why)
{
    struct reader r = reader_of(bytes);
    const uint64_t n = read_u64(&r);
    if (r.bad || n > r.left)
        return source_refuse(why, STATUS_FORMAT,
                             "the file is shorter than its header says, or is no safetensors file");
    if (n > SAFETENSORS_HEADER_BYTES_MAX)
        return source_refuse(why, STATUS_RANGE, "the header is longer than %u bytes",
                             SAFETENSORS_HEADER_BYTES_MAX);
    const struct view header = read_view(&r, (size_t)n);
    json_error_t error = {0};
    if (header.n > 0 && header.at[0] == '{')
        file->header =
            json_loadb((const char *)header.at, header.n, JSON_REJECT_DUPLICATES, &error);
    if (file->header == NULL && json_error_code(&error) == json_error_out_of_memory)
        return source_refuse(why, STATUS_NOMEM, "no memory for the header");
    if (file->header == NULL)
        return source_refuse(why, STATUS_FORMAT,
                             "the header is not JSON, or names a tensor twice; is this a "
                             "safetensors file?");
    *data = read_view(&r, r.left);
    return STATUS_OK;
}

enum status safetensors_parse(struct safetensors *out, struct view bytes, struct data_error *why)
{
    if (bytes.n > SAFETENSORS_BYTES_MAX)
        return source_refuse(why, STATUS_RANGE, "the file is larger than 2 GiB");
    AUTO(safetensors_free) struct safetensors file = {0};
    struct view data = {0};
    TRY(read_header(&file, &data, bytes, why));
    TRY(check_metadata(&file, why));
    TRY(read_tensors(&file, data, why));
    *out = file;
    file = (struct safetensors){0};
    return STATUS_OK;
}

const struct safetensors_tensor *safetensors_find(const struct safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->n; i++)
        if (strcmp(file->tensor[i].name, name) == 0) return &file->tensor[i];
    return NULL;
}

const char *safetensors_note(const struct safetensors *file, const char *key)
{
    return json_string_value(json_object_get(json_object_get(file->header, METADATA), key));
}

static enum status add_notes(json_t *header, size_t n, const struct safetensors_note *note)
{
    json_t *metadata = json_object();
    if (json_object_set_new(header, METADATA, metadata) != 0) return STATUS_NOMEM;
    for (size_t i = 0; i < n; i++) {
        json_t *text = json_string(note[i].text);
        if (text == NULL || json_object_set_new(metadata, note[i].key, text) != 0)
            return STATUS_RANGE;
    }
    return STATUS_OK;
}

static enum status add_tensors(json_t *header, const struct layout *layout)
{
    for (uint32_t t = 0; t < layout->n_tensors; t++) {
        const struct tensor *tensor = &layout->tensor[t];
        const uint64_t from = 4 * tensor->offset;
        const uint64_t to = from + UINT64_C(4) * tensor->rows * tensor->cols;
        json_t *shape = tensor->cols == 1 ? json_pack("[I]", (json_int_t)tensor->rows)
                                          : json_pack("[I, I]", (json_int_t)tensor->rows,
                                                      (json_int_t)tensor->cols);
        json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape,
                                  "data_offsets", (json_int_t)from, (json_int_t)to);
        if (json_object_set_new(header, tensor->name, entry) != 0) return STATUS_NOMEM;
    }
    return STATUS_OK;
}

static void release_json(json_t **json)
{
    json_decref(*json);
}

static void release_text(char **text)
{
    free(*text);
}

enum status safetensors_write(struct buffer *out, const struct layout *layout, const float *weights,
                              size_t n, const struct safetensors_note *note)
{
    AUTO(release_json) json_t *header = json_object();
    TRY(add_notes(header, n, note));
    TRY(add_tensors(header, layout));
    AUTO(release_text) char *text = json_dumps(header, JSON_COMPACT);
    if (text == NULL) return STATUS_NOMEM;
    const size_t bytes = strlen(text), padding = -bytes % 8;
    if (bytes + padding > SAFETENSORS_HEADER_BYTES_MAX) return STATUS_RANGE;
    buffer_reserve(out, 8 + bytes + padding + 4 * layout->n);
    write_u64(out, bytes + padding);
    write_bytes(out, text, bytes);
    write_bytes(out, "       ", padding);
    for (uint64_t i = 0; i < layout->n; i++) write_f32(out, weights[i]);
    return out->status;
}
