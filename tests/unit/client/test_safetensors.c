/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

/* A file: the header's length, the header, n bytes of numbers. */
static struct buffer file_of(const char *header, const void *data, size_t n)
{
    struct buffer b = {0};
    write_u64(&b, strlen(header));
    write_bytes(&b, header, strlen(header));
    write_bytes(&b, data, n);
    REQUIRE(b.status == STATUS_OK);
    return b;
}

static const float three[] = {1, -2.5f, 0.125f};

/* The numbers 1, -2.5, 0.125 are the same in every type. */
static void check_type(const char *type, const void *data, size_t n)
{
    char header[200];
    (void)snprintf(header, sizeof header,
                   "{\"a\":{\"dtype\":\"%s\",\"shape\":[1,3],\"data_offsets\":[0,%zu]}}", type, n);
    AUTO(buffer_free) struct buffer bytes = file_of(header, data, n);
    AUTO(safetensors_free) struct safetensors file = {0};
    struct data_error why = {0};
    CHECK_OK(safetensors_parse(&file, buffer_view(&bytes), &why));
    CHECK_NUMBER(1, file.n);
    if (file.n != 1) return;
    CHECK(strcmp(file.tensor[0].name, "a") == 0);
    CHECK_NUMBER(2, file.tensor[0].n_dims);
    CHECK_NUMBER(3, file.tensor[0].dim[1]);
    CHECK_NUMBER(3, safetensors_count(&file.tensor[0]));
    float got[3] = {0};
    safetensors_floats(got, &file.tensor[0]);
    CHECK_BYTES(three, got, sizeof three);
}

static void every_type_of_float_is_read(void)
{
    check_type("F32", three, sizeof three);
    check_type("F64", (const double[]){1, -2.5, 0.125}, 24);
    check_type("F16", (const uint16_t[]){0x3c00, 0xc100, 0x3000}, 6);
    check_type("BF16", (const uint16_t[]){0x3f80, 0xc020, 0x3e00}, 6);
}

static void halves_are_exact(void)
{
    const uint16_t bits[] = {0x0001, 0x83ff, 0x0400, 0x7bff, 0x8000};
    const float want[] = {0x1p-24f, -0x1.ff8p-15f, 0x1p-14f, 65504, -0.0f};
    AUTO(buffer_free)
    struct buffer bytes =
        file_of("{\"a\":{\"dtype\":\"F16\",\"shape\":[5],\"data_offsets\":[0,10]}}", bits, 10);
    AUTO(safetensors_free) struct safetensors file = {0};
    struct data_error why = {0};
    CHECK_OK(safetensors_parse(&file, buffer_view(&bytes), &why));
    float got[5] = {0};
    if (file.n == 1) safetensors_floats(got, &file.tensor[0]);
    CHECK_BYTES(want, got, sizeof want);
}

static void tensors_may_stand_in_any_order(void)
{
    AUTO(buffer_free)
    struct buffer bytes =
        file_of("{\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]},"
                "\"__metadata__\":{\"made\":\"by hand\"},"
                "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}   ",
                three, sizeof three);
    AUTO(safetensors_free) struct safetensors file = {0};
    struct data_error why = {0};
    CHECK_OK(safetensors_parse(&file, buffer_view(&bytes), &why));
    CHECK_NUMBER(2, file.n);
    const struct safetensors_tensor *a = safetensors_find(&file, "a");
    const struct safetensors_tensor *b = safetensors_find(&file, "b");
    float got[3] = {0};
    CHECK(a != NULL && b != NULL);
    if (a == NULL || b == NULL) return;
    CHECK_NUMBER(0, a->n_dims);
    safetensors_floats(got, a);
    safetensors_floats(got + 1, b);
    CHECK_BYTES(three, got, sizeof three);
    CHECK(safetensors_find(&file, "c") == NULL);
    CHECK(strcmp(safetensors_note(&file, "made"), "by hand") == 0);
    CHECK(safetensors_note(&file, "absent") == NULL);
}

/* Refused with a sentence that has these words. */
static void check_refused(enum status want, const char *words, const char *header, const void *data,
                          size_t n)
{
    AUTO(buffer_free) struct buffer bytes = file_of(header, data, n);
    struct safetensors file = {.n = 77};
    struct data_error why = {0};
    CHECK_STATUS(want, safetensors_parse(&file, buffer_view(&bytes), &why));
    CHECK(strstr(why.text, words) != NULL);
    if (strstr(why.text, words) == NULL) printf("  said: %s\n", why.text);
    CHECK(file.n == 77 && file.header == NULL && file.tensor == NULL);
}

static void check_entry_refused(enum status want, const char *words, const char *entry)
{
    char header[400];
    (void)snprintf(header, sizeof header, "{\"a\":%s}", entry);
    check_refused(want, words, header, three, sizeof three);
}

static void what_is_no_header_is_refused(void)
{
    const enum status f = STATUS_FORMAT;
    check_refused(f, "not JSON", "", three, 12);
    check_refused(f, "not JSON", "[]", three, 12);
    check_refused(f, "not JSON", " {}", three, 12);
    check_refused(f, "not JSON", "{} x", three, 12);
    check_refused(f, "not JSON", "{\"a\":", three, 12);
    check_refused(f, "no tensors", "{}", three, 0);
    check_refused(f, "map of texts", "{\"__metadata__\":{\"a\":1}}", three, 0);
    check_refused(f, "map of texts", "{\"__metadata__\":[]}", three, 0);
    const char entry[] = "\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}";
    char twice[300];
    (void)snprintf(twice, sizeof twice, "{%s,%s}", entry, entry);
    check_refused(f, "twice", twice, three, 12);
}

static void lying_entries_are_refused(void)
{
    const enum status f = STATUS_FORMAT;
    check_entry_refused(f, "needs a dtype", "7");
    check_entry_refused(f, "needs a dtype", "{\"dtype\":\"F32\",\"shape\":[3]}");
    check_entry_refused(f, "needs a dtype",
                        "{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12],\"x\":1}");
    check_entry_refused(f, "needs a dtype",
                        "{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12,12]}");
    check_entry_refused(f, "no shape", "{\"dtype\":\"F32\",\"shape\":3,\"data_offsets\":[0,12]}");
    check_entry_refused(f, "dtype I64",
                        "{\"dtype\":\"I64\",\"shape\":[3],\"data_offsets\":[0,12]}");
    check_entry_refused(f, "of no text", "{\"dtype\":null,\"shape\":[3],\"data_offsets\":[0,12]}");
    check_entry_refused(f, "positive whole",
                        "{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[0,12]}");
    check_entry_refused(f, "positive whole",
                        "{\"dtype\":\"F32\",\"shape\":[-3],\"data_offsets\":[0,12]}");
    check_entry_refused(f, "positive whole",
                        "{\"dtype\":\"F32\",\"shape\":[3.0],\"data_offsets\":[0,12]}");
    check_entry_refused(STATUS_RANGE, "dimensions",
                        "{\"dtype\":\"F32\",\"shape\":[3,1,1,1,1,1,1,1,1],"
                        "\"data_offsets\":[0,12]}");
    check_entry_refused(STATUS_RANGE, "2 GiB",
                        "{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],"
                        "\"data_offsets\":[0,12]}");
    check_entry_refused(STATUS_RANGE, "2 GiB",
                        "{\"dtype\":\"F32\",\"shape\":[1000000000],\"data_offsets\":[0,12]}");
    static const char *const place[] = {"0,8", "4,16", "12,0", "-4,8", "0,12.0", "\"0\",12"};
    for (size_t i = 0; i < sizeof place / sizeof *place; i++) {
        char entry[200];
        (void)snprintf(entry, sizeof entry,
                       "{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[%s]}", place[i]);
        check_entry_refused(f, "data_offsets", entry);
    }
}

/* Two tensors of one number each at these bytes, of a file with n bytes of numbers. */
static void check_places(enum status want, const char *words, unsigned a, unsigned b, size_t n)
{
    char header[300];
    (void)snprintf(header, sizeof header,
                   "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[%u,%u]},"
                   "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[%u,%u]}}",
                   a, a + 4, b, b + 4);
    check_refused(want, words, header, three, n);
}

static void gaps_and_overlaps_are_refused(void)
{
    const enum status f = STATUS_FORMAT;
    check_places(f, "overlaps", 0, 0, 8);
    check_places(f, "overlaps", 0, 2, 8);
    check_places(f, "overlaps", 0, 8, 12);
    check_places(f, "overlaps", 4, 8, 12);
    check_places(f, "at the end", 4, 0, 12);
    check_places(f, "data_offsets", 0, 4, 7);
}

static void numbers_that_are_none_are_refused(void)
{
    const char *header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}";
    check_refused(STATUS_FORMAT, "infinite", header, (const float[]){1, NAN, 1}, 12);
    check_refused(STATUS_FORMAT, "infinite", header, (const float[]){1, 1, -INFINITY}, 12);
    header = "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}";
    check_refused(STATUS_FORMAT, "infinite", header, (const double[]){1e39}, 8);
    header = "{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}";
    check_refused(STATUS_FORMAT, "infinite", header, (const uint16_t[]){0x7c00}, 2);
    check_refused(STATUS_FORMAT, "infinite", header, (const uint16_t[]){0xfe00}, 2);
    header = "{\"a\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[0,2]}}";
    check_refused(STATUS_FORMAT, "infinite", header, (const uint16_t[]){0xff80}, 2);
}

static void check_length(enum status want, uint64_t length)
{
    struct safetensors file = {0};
    struct data_error why = {0};
    AUTO(buffer_free) struct buffer bytes = {0};
    write_u64(&bytes, length);
    for (size_t i = 0; i < SAFETENSORS_HEADER_BYTES_MAX / 8 + 1; i++)
        write_u64(&bytes, 0x2020202020202020);
    bytes.at[8] = '{';
    CHECK_STATUS(want, safetensors_parse(&file, buffer_view(&bytes), &why));
    CHECK(why.text[0] != 0);
}

static void header_is_within_the_file_and_the_limit(void)
{
    check_length(STATUS_FORMAT, SAFETENSORS_HEADER_BYTES_MAX);
    check_length(STATUS_RANGE, SAFETENSORS_HEADER_BYTES_MAX + 1);
    check_length(STATUS_FORMAT, SAFETENSORS_HEADER_BYTES_MAX + 9);
    check_length(STATUS_FORMAT, UINT64_MAX);
    struct safetensors file = {0};
    struct data_error why = {0};
    CHECK_STATUS(STATUS_FORMAT,
                 safetensors_parse(&file, (struct view){(const uint8_t *)"\1\0\0", 3}, &why));
    CHECK(strstr(why.text, "shorter") != NULL);
    /* Not read: it is refused by its size alone. */
    CHECK_STATUS(STATUS_RANGE,
                 safetensors_parse(&file, (struct view){NULL, SAFETENSORS_BYTES_MAX + 1}, &why));
}

static const struct model_spec tiny = {
    .kind = MODEL_MLP,
    .channels = 1,
    .height = 2,
    .width = 2,
    .classes = 2,
    .n_hidden = 1,
    .hidden = {3},
};

static void what_is_written_is_read_again(void)
{
    struct layout layout;
    CHECK_OK(layout_of(&layout, &tiny));
    float weight[32], got[32] = {0};
    for (size_t i = 0; i < layout.n; i++) weight[i] = (float)i - 7.25f;
    const struct safetensors_note note[] = {{"seed", "1"}, {"data", "\"\\ \n\xc3\xa9"}};
    AUTO(buffer_free) struct buffer bytes = {0};
    CHECK_OK(safetensors_write(&bytes, &layout, weight, 2, note));
    /* Numbers begin at a multiple of their size, for those who map the file. */
    CHECK_NUMBER(0, (bytes.n - 4 * layout.n) % 8);
    AUTO(safetensors_free) struct safetensors file = {0};
    struct data_error why = {0};
    CHECK_OK(safetensors_parse(&file, buffer_view(&bytes), &why));
    CHECK_NUMBER(layout.n_tensors, file.n);
    for (uint32_t t = 0; t < layout.n_tensors; t++) {
        const struct safetensors_tensor *tensor = safetensors_find(&file, layout.tensor[t].name);
        CHECK(tensor != NULL);
        if (tensor == NULL) continue;
        CHECK_NUMBER(layout.tensor[t].cols == 1 ? 1 : 2, tensor->n_dims);
        CHECK_NUMBER(layout.tensor[t].rows, tensor->dim[0]);
        safetensors_floats(got + layout.tensor[t].offset, tensor);
    }
    CHECK_BYTES(weight, got, layout.n * sizeof *got);
    CHECK(strcmp(safetensors_note(&file, "seed"), "1") == 0);
    CHECK(strcmp(safetensors_note(&file, "data"), note[1].text) == 0);
}

static void notes_are_text(void)
{
    struct layout layout;
    CHECK_OK(layout_of(&layout, &tiny));
    const float weight[32] = {0};
    AUTO(buffer_free) struct buffer bytes = {0};
    CHECK_STATUS(STATUS_RANGE, safetensors_write(&bytes, &layout, weight, 1,
                                                 &(struct safetensors_note){"key", "\xff"}));
    static char long_text[SAFETENSORS_HEADER_BYTES_MAX + 1];
    memset(long_text, 'x', sizeof long_text - 1);
    CHECK_STATUS(STATUS_RANGE, safetensors_write(&bytes, &layout, weight, 1,
                                                 &(struct safetensors_note){"key", long_text}));
    CHECK_NUMBER(0, bytes.n);
}

static void memory_may_end(void)
{
    AUTO(buffer_free)
    struct buffer bytes = file_of(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}", three, sizeof three);
    struct layout layout;
    CHECK_OK(layout_of(&layout, &tiny));
    const float weight[32] = {0};
    OOM_EACH {
        struct safetensors file = {0};
        struct data_error why = {0};
        const enum status status = safetensors_parse(&file, buffer_view(&bytes), &why);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((status == STATUS_OK) == (file.header != NULL));
        safetensors_free(&file);
    }
    OOM_EACH {
        AUTO(buffer_free) struct buffer out = {0};
        const enum status status = safetensors_write(&out, &layout, weight, 0, NULL);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
    }
}

int main(void)
{
    RUN(every_type_of_float_is_read);
    RUN(halves_are_exact);
    RUN(tensors_may_stand_in_any_order);
    RUN(what_is_no_header_is_refused);
    RUN(lying_entries_are_refused);
    RUN(gaps_and_overlaps_are_refused);
    RUN(numbers_that_are_none_are_refused);
    RUN(header_is_within_the_file_and_the_limit);
    RUN(what_is_written_is_read_again);
    RUN(notes_are_text);
    RUN(memory_may_end);
    return check_done();
}
