/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "client/data/data.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define NPY_TEXT 8000 /* more than the reader takes */

/* An array: header of version 1 or 2, then n bytes i -> 3 i + 1. */
static struct buffer array(unsigned version, const char *type, const char *shape, size_t n)
{
    char text[2 * NPY_TEXT] = {0};
    int bytes = snprintf(text, sizeof text,
                         "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", type, shape);
    struct buffer b = {0};
    write_bytes(&b, "\x93NUMPY", 6);
    write_u16(&b, (uint16_t)version);
    if (version == 1)
        write_u16(&b, (uint16_t)bytes);
    else
        write_u32(&b, (uint32_t)bytes);
    write_bytes(&b, text, (size_t)bytes);
    for (size_t i = 0; i < n; i++) write_u8(&b, (uint8_t)(3 * i + 1));
    return b;
}

static struct buffer bytes_of(zip_source_t *source)
{
    zip_stat_t about;
    REQUIRE(zip_source_stat(source, &about) == 0 && zip_source_open(source) == 0);
    struct buffer b = {.room = about.size, .n = about.size};
    b.at = malloc(b.room);
    REQUIRE(b.at != NULL);
    REQUIRE(zip_source_read(source, b.at, b.n) == (zip_int64_t)b.n);
    (void)zip_source_close(source);
    return b;
}

/* An archive of two arrays, which are freed. */
static struct buffer npz(struct buffer images, struct buffer labels, zip_int32_t method)
{
    zip_error_t error = {0};
    zip_source_t *out = zip_source_buffer_create(NULL, 0, 0, &error);
    zip_t *z = zip_open_from_source(out, ZIP_TRUNCATE, &error);
    REQUIRE(z != NULL);
    zip_source_keep(out);
    const char *name[] = {"train_images.npy", "train_labels.npy"};
    struct buffer *part[] = {&images, &labels};
    for (zip_uint64_t i = 0; i < 2; i++) {
        zip_source_t *in = zip_source_buffer(z, part[i]->at, part[i]->n, 0);
        REQUIRE(zip_file_add(z, name[i], in, 0) == (zip_int64_t)i);
        REQUIRE(zip_set_file_compression(z, i, method, 9) == 0);
    }
    REQUIRE(zip_close(z) == 0);
    struct buffer bytes = bytes_of(out);
    zip_source_free(out);
    buffer_free(&images);
    buffer_free(&labels);
    return bytes;
}

static struct buffer grey(zip_int32_t method)
{
    return npz(array(1, "|u1", "(2, 3, 4)", 24), array(1, "|u1", "(2, 1)", 2), method);
}

static void check_parsed(struct buffer archive, uint32_t channels, size_t pixel_step)
{
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {0};
    CHECK_OK(npz_parse(&data, buffer_view(&archive), "train", &why));
    buffer_free(&archive);
    if (data.pixel == NULL) return;
    CHECK_NUMBER(2, data.n);
    CHECK_NUMBER(channels, data.channels);
    CHECK_NUMBER(3, data.height);
    CHECK_NUMBER(4, data.width);
    CHECK_NUMBER(5, data.classes);
    CHECK_NUMBER(1, data.label[0]);
    CHECK_NUMBER(4, data.label[1]);
    CHECK_NUMBER((uint8_t)(3 * pixel_step + 1), data.pixel[1]);
    CHECK_NUMBER((uint8_t)(3 * (24 * (size_t)channels - 1) + 1),
                 data.pixel[24 * (size_t)channels - 1]);
}

static void stored_and_deflated_are_read_alike(void)
{
    check_parsed(grey(ZIP_CM_STORE), 1, 1);
    check_parsed(grey(ZIP_CM_DEFLATE), 1, 1);
}

static void colour_becomes_one_plane_after_the_other(void)
{
    check_parsed(
        npz(array(2, "|u1", "(2, 3, 4, 3)", 72), array(2, "|u1", "(2,)", 2), ZIP_CM_DEFLATE), 3, 3);
}

static void labels_of_any_width_are_read(void)
{
    static const char *const type[] = {"|u1", "<u1", "|i1", "<u2", "<i2",
                                       "<u4", "<i4", "<u8", "<i8"};
    for (size_t t = 0; t < 9; t++) {
        struct buffer labels = array(1, type[t], "(2, 1)", 0);
        size_t width = (size_t)type[t][2] - '0';
        for (size_t i = 0; i < 2; i++) {
            uint8_t item[8] = {i == 0 ? 1 : 4};
            write_bytes(&labels, item, width);
        }
        check_parsed(npz(array(1, "|u1", "(2, 3, 4)", 24), labels, ZIP_CM_STORE), 1, 1);
    }
}

/* Refused with a sentence that has these words. */
static void check_refused(enum status want, const char *words, struct buffer archive,
                          const char *split)
{
    struct dataset data = {.n = 77};
    struct data_error why = {0};
    CHECK_STATUS(want, npz_parse(&data, buffer_view(&archive), split, &why));
    CHECK_NUMBER(77, data.n);
    CHECK(data.pixel == NULL && data.label == NULL);
    CHECK(strstr(why.text, words) != NULL);
    buffer_free(&archive);
}

static void check_arrays_refused(enum status want, const char *words, const char *image_type,
                                 const char *image_shape, size_t image_bytes,
                                 const char *label_type, const char *label_shape,
                                 size_t label_bytes)
{
    check_refused(want, words,
                  npz(array(1, image_type, image_shape, image_bytes),
                      array(1, label_type, label_shape, label_bytes), ZIP_CM_DEFLATE),
                  "train");
}

static void other_arrays_are_refused(void)
{
    const enum status f = STATUS_FORMAT;
    check_arrays_refused(f, "not uint8", "|i1", "(2, 3, 4)", 24, "|u1", "(2, 1)", 2);
    check_arrays_refused(f, "not uint8", "<u2", "(2, 3, 4)", 48, "|u1", "(2, 1)", 2);
    check_arrays_refused(f, "not uint8", "|u1", "(2, 12)", 24, "|u1", "(2, 1)", 2);
    check_arrays_refused(f, "not uint8", "|u1", "(2, 3, 2, 2)", 24, "|u1", "(2, 1)", 2);
    check_arrays_refused(f, "not uint8", "|u1", "(2, 3, 4, 1)", 24, "|u1", "(2, 1)", 2);
    check_arrays_refused(f, "one label per image", "|u1", "(2, 3, 4)", 24, "|u1", "(2, 2)", 4);
    check_arrays_refused(f, "one label per image", "|u1", "(2, 3, 4)", 24, "|u1", "(3, 1)", 3);
    check_arrays_refused(f, "one label per image", "|u1", "(2, 3, 4)", 24, "|u1", "()", 1);
    check_arrays_refused(f, "no images", "|u1", "(0, 3, 4)", 0, "|u1", "(0, 1)", 0);
    check_arrays_refused(f, "no images", "|u1", "(2, 0, 4)", 0, "|u1", "(2, 1)", 2);
}

static void labels_out_of_range_are_refused(void)
{
    struct buffer negative = array(1, "<i4", "(2,)", 0);
    write_u32(&negative, 0);
    write_u32(&negative, UINT32_MAX);
    check_refused(STATUS_FORMAT, "not in 0..255",
                  npz(array(1, "|u1", "(2, 3, 4)", 24), negative, ZIP_CM_STORE), "train");
    struct buffer large = array(1, "<i8", "(2,)", 0);
    write_u64(&large, 256);
    write_u64(&large, 0);
    check_refused(STATUS_FORMAT, "not in 0..255",
                  npz(array(1, "|u1", "(2, 3, 4)", 24), large, ZIP_CM_STORE), "train");
    struct buffer small = array(1, "|i1", "(2,)", 0);
    write_u16(&small, 0xff00);
    check_refused(STATUS_FORMAT, "not in 0..255",
                  npz(array(1, "|u1", "(2, 3, 4)", 24), small, ZIP_CM_STORE), "train");
}

static void lengths_that_differ_from_the_shape_are_refused(void)
{
    const enum status f = STATUS_FORMAT;
    check_arrays_refused(f, "damaged", "|u1", "(2, 3, 4)", 23, "|u1", "(2, 1)", 2);
    check_arrays_refused(f, "damaged", "|u1", "(2, 3, 4)", 25, "|u1", "(2, 1)", 2);
    check_arrays_refused(f, "damaged", "|u1", "(2, 3, 4)", 24, "|u1", "(2, 1)", 1);
    check_arrays_refused(f, "damaged", "|u1", "(2, 3, 4)", 24, "<i8", "(2, 1)", 2);
    const char *huge = "(1000000000000, 1000000000000, 1000000000000)";
    check_arrays_refused(f, "damaged", "|u1", huge, 24, "|u1", "(2, 1)", 2);
    /* 2^64 bytes are not none. */
    check_arrays_refused(f, "damaged", "|u1", "(4294967296, 4294967296, 1)", 0, "|u1", "(2, 1)", 2);
}

static void endless_header_is_refused(void)
{
    char shape[NPY_TEXT] = {0};
    memset(shape, ' ', sizeof shape - 1);
    memcpy(shape, "(2, 3, 4)", 9);
    struct buffer images = array(1, "|u1", shape, 24);
    check_refused(STATUS_FORMAT, "damaged", npz(images, array(1, "|u1", "(2,)", 2), ZIP_CM_DEFLATE),
                  "train");
}

/* Stored, so that a byte of an array can be changed without the rest. */
static void changed_byte_is_found_by_its_checksum(void)
{
    static const uint8_t first_pixels[] = {1, 4, 7, 10};
    static const uint8_t both_labels[] = {1, 4, 'P', 'K'};
    static const uint8_t *const place[] = {first_pixels, both_labels};
    static const char *const words[] = {"images are damaged", "labels are damaged"};
    for (size_t k = 0; k < 2; k++) {
        struct buffer whole = grey(ZIP_CM_STORE);
        uint8_t *at = memmem(whole.at, whole.n, place[k], 4);
        REQUIRE(at != NULL);
        *at = 0;
        check_refused(STATUS_FORMAT, words[k], whole, "train");
    }
}

static void more_records_than_the_limit_are_refused(void)
{
    /* 2^24 + 1 records, without pixels to keep the test small. */
    check_arrays_refused(STATUS_RANGE, "4 GiB", "|u1", "(16777217, 0, 1)", 0, "|u1", "(2,)", 2);
}

static void other_splits_are_refused(void)
{
    check_refused(STATUS_FORMAT, "split", grey(ZIP_CM_STORE), "val");
    check_refused(STATUS_FORMAT, "split", grey(ZIP_CM_STORE), "");
    char longest[200] = {0};
    memset(longest, 'x', sizeof longest - 1);
    check_refused(STATUS_FORMAT, "split", grey(ZIP_CM_STORE), longest);
}

static void every_shortened_archive_is_refused(void)
{
    AUTO(buffer_free) struct buffer whole = grey(ZIP_CM_DEFLATE);
    for (size_t n = 0; n < whole.n; n++) {
        struct buffer part = {0};
        write_bytes(&part, whole.at, n);
        check_refused(STATUS_FORMAT, "", part, "train");
    }
}

static void flipped_byte_is_never_a_crash(void)
{
    AUTO(buffer_free) struct buffer whole = grey(ZIP_CM_DEFLATE);
    size_t refused = 0;
    for (size_t i = 0; i < whole.n; i++) {
        for (unsigned bit = 1; bit < 256; bit *= 2) {
            whole.at[i] ^= (uint8_t)bit;
            AUTO(dataset_free) struct dataset data = {0};
            struct data_error why = {0};
            refused += npz_parse(&data, buffer_view(&whole), "train", &why) != STATUS_OK;
            whole.at[i] ^= (uint8_t)bit;
        }
    }
    /* Times, versions and attributes may change freely, contents may not. */
    CHECK(refused > 4 * whole.n);
}

/* 2 GiB of pixels by the header, and by the directory if it lies too, in some hundred bytes. */
static void check_lie_refused(zip_int32_t method, bool directory_lies)
{
    struct buffer images = array(1, "|u1", "(2, 16384, 65536)", 24);
    AUTO(buffer_free) struct buffer claimed = {0};
    write_u32(&claimed, (uint32_t)(images.n - 24 + (UINT32_C(1) << 31)));
    struct buffer whole = npz(images, array(1, "|u1", "(2,)", 2), method);
    if (directory_lies) {
        uint8_t *local = memmem(whole.at, whole.n, "PK\3\4", 4);
        uint8_t *central = memmem(whole.at, whole.n, "PK\1\2", 4);
        REQUIRE(local != NULL && central != NULL);
        memcpy(local + 22, claimed.at, 4);
        memcpy(central + 24, claimed.at, 4);
    }
    oom_start(1); /* libzip's own allocations are not counted */
    check_refused(STATUS_FORMAT, "", whole, "train");
    CHECK(!oom_hit());
    oom_stop();
}

static void lying_sizes_are_refused_before_allocation(void)
{
    check_lie_refused(ZIP_CM_STORE, false);
    check_lie_refused(ZIP_CM_STORE, true);
    check_lie_refused(ZIP_CM_DEFLATE, false);
    check_lie_refused(ZIP_CM_DEFLATE, true);
}

static void files_are_read_and_memory_may_end_anywhere(void)
{
    char path[] = "/tmp/veilsum-npz-XXXXXX";
    int fd = mkstemp(path);
    AUTO(buffer_free) struct buffer whole = grey(ZIP_CM_DEFLATE);
    REQUIRE(fd >= 0 && write(fd, whole.at, whole.n) == (ssize_t)whole.n && close(fd) == 0);
    struct data_error why = {0};
    OOM_EACH {
        AUTO(dataset_free) struct dataset data = {0};
        enum status status = npz_read(&data, path, "train", &why);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((status == STATUS_OK) == (data.pixel != NULL));
    }
    CHECK(unlink(path) == 0);
    struct dataset data = {.n = 77};
    CHECK_STATUS(STATUS_IO, npz_read(&data, path, "train", &why));
    CHECK_NUMBER(77, data.n);
}

int main(void)
{
    RUN(stored_and_deflated_are_read_alike);
    RUN(colour_becomes_one_plane_after_the_other);
    RUN(labels_of_any_width_are_read);
    RUN(other_arrays_are_refused);
    RUN(labels_out_of_range_are_refused);
    RUN(lengths_that_differ_from_the_shape_are_refused);
    RUN(endless_header_is_refused);
    RUN(changed_byte_is_found_by_its_checksum);
    RUN(more_records_than_the_limit_are_refused);
    RUN(other_splits_are_refused);
    RUN(every_shortened_archive_is_refused);
    RUN(flipped_byte_is_never_a_crash);
    RUN(lying_sizes_are_refused_before_allocation);
    RUN(files_are_read_and_memory_may_end_anywhere);
    return check_done();
}
