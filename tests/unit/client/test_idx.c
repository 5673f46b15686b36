/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "client/data/data.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static void write_be32(struct buffer *b, uint32_t x)
{
    for (unsigned shift = 32; shift > 0; shift -= 8) write_u8(b, (uint8_t)(x >> (shift - 8)));
}

/* An idx file of the dimensions and n bytes i -> 3 i + 1. */
static struct buffer idx(uint8_t n_dims, const uint32_t *dim, size_t n)
{
    struct buffer b = {0};
    write_bytes(&b, (const uint8_t[]){0, 0, 8, n_dims}, 4);
    for (size_t d = 0; d < n_dims; d++) write_be32(&b, dim[d]);
    for (size_t i = 0; i < n; i++) write_u8(&b, (uint8_t)(3 * i + 1));
    return b;
}

static struct buffer gzipped(struct view in)
{
    struct buffer b = {.room = in.n / 500 + 4096};
    b.at = malloc(b.room);
    REQUIRE(b.at != NULL);
    z_stream z = {.next_out = b.at, .avail_out = (uInt)b.room, .avail_in = (uInt)in.n};
    memcpy(&z.next_in, &in.at, sizeof z.next_in);
    REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
    b.n = z.total_out;
    (void)deflateEnd(&z);
    return b;
}

static const uint32_t shape[] = {2, 3, 4};
static const uint32_t count[] = {2};

static void check_parsed(struct view images, struct view labels, uint32_t channels)
{
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {0};
    CHECK_OK(idx_parse(&data, images, labels, &why));
    if (data.pixel == NULL) return;
    CHECK_NUMBER(2, data.n);
    CHECK_NUMBER(channels, data.channels);
    CHECK_NUMBER(3, data.height);
    CHECK_NUMBER(4, data.width);
    CHECK_NUMBER(5, data.classes); /* labels 1 and 4 */
    CHECK_NUMBER(1, data.label[0]);
    CHECK_NUMBER(4, data.label[1]);
    bool right = true;
    for (size_t i = 0; i < 24 * (size_t)channels; i++)
        right = right && data.pixel[i] == (uint8_t)(3 * i + 1);
    CHECK(right);
}

static void plain_and_gzip_are_read_alike(void)
{
    AUTO(buffer_free) struct buffer images = idx(3, shape, 24);
    AUTO(buffer_free) struct buffer labels = idx(1, count, 2);
    AUTO(buffer_free) struct buffer zipped_images = gzipped(buffer_view(&images));
    AUTO(buffer_free) struct buffer zipped_labels = gzipped(buffer_view(&labels));
    check_parsed(buffer_view(&images), buffer_view(&labels), 1);
    check_parsed(buffer_view(&zipped_images), buffer_view(&labels), 1);
    check_parsed(buffer_view(&images), buffer_view(&zipped_labels), 1);
    check_parsed(buffer_view(&zipped_images), buffer_view(&zipped_labels), 1);
}

static void four_dimensions_are_channels(void)
{
    AUTO(buffer_free) struct buffer images = idx(4, (const uint32_t[]){2, 3, 3, 4}, 72);
    AUTO(buffer_free) struct buffer labels = idx(1, count, 2);
    check_parsed(buffer_view(&images), buffer_view(&labels), 3);
}

/* Refused with a sentence that has these words. */
static void check_refused(enum status want, const char *words, struct view images,
                          struct view labels)
{
    struct dataset data = {.n = 77};
    struct data_error why = {0};
    CHECK_STATUS(want, idx_parse(&data, images, labels, &why));
    CHECK_NUMBER(77, data.n);
    CHECK(data.pixel == NULL && data.label == NULL);
    CHECK(strstr(why.text, words) != NULL);
}

/* The first n bytes on a heap block of their own, so that a sanitizer sees a read past them. */
static void check_part_refused(struct view whole, size_t n, struct view other, bool is_labels)
{
    struct view part = {.n = n};
    uint8_t *at = malloc(n);
    REQUIRE(at != NULL || n == 0);
    if (n > 0) memcpy(at, whole.at, n);
    part.at = at;
    check_refused(STATUS_FORMAT, "", is_labels ? other : part, is_labels ? part : other);
    free(at);
}

static void every_shorter_or_longer_file_is_refused(void)
{
    AUTO(buffer_free) struct buffer images = idx(3, shape, 24);
    AUTO(buffer_free) struct buffer labels = idx(1, count, 2);
    AUTO(buffer_free) struct buffer zipped = gzipped(buffer_view(&images));
    for (size_t n = 0; n < images.n; n++)
        check_part_refused(buffer_view(&images), n, buffer_view(&labels), false);
    for (size_t n = 0; n < labels.n; n++)
        check_part_refused(buffer_view(&labels), n, buffer_view(&images), true);
    for (size_t n = 0; n < zipped.n; n++)
        check_part_refused(buffer_view(&zipped), n, buffer_view(&labels), false);
    write_u8(&images, 0);
    check_refused(STATUS_FORMAT, "", buffer_view(&images), buffer_view(&labels));
    AUTO(buffer_free) struct buffer zipped_longer = gzipped(buffer_view(&images));
    check_refused(STATUS_FORMAT, "", buffer_view(&zipped_longer), buffer_view(&labels));
    AUTO(buffer_free) struct buffer sound = idx(3, shape, 24);
    write_u8(&zipped, 0);
    check_refused(STATUS_FORMAT, "", buffer_view(&zipped), buffer_view(&labels));
    write_u8(&labels, 0);
    check_refused(STATUS_FORMAT, "", buffer_view(&sound), buffer_view(&labels));
}

static void flipped_byte_of_a_gzip_file_is_refused_or_harmless(void)
{
    AUTO(buffer_free) struct buffer images = idx(3, shape, 24);
    AUTO(buffer_free) struct buffer labels = idx(1, count, 2);
    AUTO(buffer_free) struct buffer zipped = gzipped(buffer_view(&images));
    size_t refused = 0;
    for (size_t i = 2; i < zipped.n; i++)
        for (unsigned bit = 1; bit < 256; bit *= 2) {
            zipped.at[i] ^= (uint8_t)bit;
            AUTO(dataset_free) struct dataset data = {0};
            struct data_error why = {0};
            enum status status = idx_parse(&data, buffer_view(&zipped), buffer_view(&labels), &why);
            if (status == STATUS_OK)
                CHECK_BYTES(images.at + 16, data.pixel, 24);
            else
                refused++;
            zipped.at[i] ^= (uint8_t)bit;
        }
    /* The gzip header's time and system, and padding bits, mean nothing; all else does. */
    CHECK(refused > 8 * (zipped.n - 10));
}

static void files_that_do_not_belong_together_are_refused(void)
{
    AUTO(buffer_free) struct buffer images = idx(3, shape, 24);
    AUTO(buffer_free) struct buffer labels = idx(1, count, 2);
    AUTO(buffer_free) struct buffer more = idx(1, (const uint32_t[]){3}, 3);
    check_refused(STATUS_FORMAT, "image file is not idx", buffer_view(&labels),
                  buffer_view(&images));
    check_refused(STATUS_FORMAT, "label file is not idx", buffer_view(&images),
                  buffer_view(&images));
    check_refused(STATUS_FORMAT, "2 images but 3 labels", buffer_view(&images), buffer_view(&more));
}

static void wrong_magic_is_refused(void)
{
    AUTO(buffer_free) struct buffer labels = idx(1, count, 2);
    for (size_t i = 0; i < 4; i++) {
        AUTO(buffer_free) struct buffer images = idx(3, shape, 24);
        images.at[i] = 9; /* also: type 9, and 9 dimensions */
        check_refused(STATUS_FORMAT, "", buffer_view(&images), buffer_view(&labels));
        images.at[i] = 0;
        if (i > 1) check_refused(STATUS_FORMAT, "", buffer_view(&images), buffer_view(&labels));
    }
}

static void set_without_images_is_refused(void)
{
    AUTO(buffer_free) struct buffer labels = idx(1, (const uint32_t[]){0}, 0);
    AUTO(buffer_free) struct buffer images = idx(3, (const uint32_t[]){0, 3, 4}, 0);
    check_refused(STATUS_FORMAT, "", buffer_view(&images), buffer_view(&labels));
    AUTO(buffer_free) struct buffer two = idx(1, count, 2);
    AUTO(buffer_free) struct buffer flat = idx(3, (const uint32_t[]){2, 0, 4}, 0);
    check_refused(STATUS_FORMAT, "", buffer_view(&flat), buffer_view(&two));
}

static void sizes_are_refused_before_they_are_allocated(void)
{
    const uint32_t huge[] = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
    AUTO(buffer_free) struct buffer endless = idx(3, huge, 24);
    AUTO(buffer_free) struct buffer endless_labels = idx(1, huge, 2);
    check_refused(STATUS_RANGE, "4 GiB", buffer_view(&endless), buffer_view(&endless_labels));

    /* Within the limits, but the bytes cannot hold it: no 4 GiB for a file of 40 bytes. */
    const uint32_t large[] = {2, 1 << 15, 1 << 16};
    AUTO(buffer_free) struct buffer images = idx(3, large, 24);
    AUTO(buffer_free) struct buffer labels = idx(1, count, 2);
    AUTO(buffer_free) struct buffer zipped = gzipped(buffer_view(&images));
    oom_start(1); /* zlib's own allocations are not counted */
    check_refused(STATUS_FORMAT, "", buffer_view(&images), buffer_view(&labels));
    check_refused(STATUS_FORMAT, "", buffer_view(&zipped), buffer_view(&labels));
    CHECK(!oom_hit());
    oom_stop();
    const uint32_t more[] = {3, 1 << 15, 1 << 16};
    AUTO(buffer_free) struct buffer above = idx(3, more, 24);
    AUTO(buffer_free) struct buffer three = idx(1, more, 3);
    check_refused(STATUS_RANGE, "4 GiB", buffer_view(&above), buffer_view(&three));
}

static void bomb_is_inflated_no_further_than_its_header(void)
{
    AUTO(buffer_free) struct buffer bomb = idx(3, shape, 24);
    for (size_t i = 0; i < 2000; i++) write_bytes(&bomb, (const uint8_t[1000]){0}, 1000);
    AUTO(buffer_free) struct buffer zipped = gzipped(buffer_view(&bomb));
    AUTO(buffer_free) struct buffer labels = idx(1, count, 2);
    CHECK(zipped.n < 4000);
    check_refused(STATUS_FORMAT, "", buffer_view(&zipped), buffer_view(&labels));
}

static void written_files_are_read_again(void)
{
    char folder[] = "/tmp/veilsum-idx-XXXXXX";
    REQUIRE(mkdtemp(folder) != NULL && chdir(folder) == 0);
    for (uint32_t channels = 1; channels <= 3; channels += 2) {
        uint8_t pixel[2 * 3 * 2 * 2];
        for (size_t i = 0; i < sizeof pixel; i++) pixel[i] = (uint8_t)(9 * i);
        uint8_t label[] = {0, 200};
        struct dataset data = {.n = 2,
                               .channels = channels,
                               .height = 2,
                               .width = 2,
                               .classes = 201,
                               .pixel = pixel,
                               .label = label};
        CHECK_OK(idx_write(&data, "images", "labels"));
        AUTO(dataset_free) struct dataset again = {0};
        struct data_error why = {0};
        CHECK_OK(idx_read(&again, "images", "labels", &why));
        CHECK_NUMBER(channels, again.channels);
        CHECK_NUMBER(201, again.classes);
        CHECK_BYTES(pixel, again.pixel, (size_t)8 * channels);
        CHECK_BYTES(label, again.label, 2);

        CHECK_STATUS(STATUS_IO, idx_write(&data, "missing/images", "labels"));
        CHECK_STATUS(STATUS_IO, idx_write(&data, "half", "missing/labels"));
        CHECK(access("half", F_OK) != 0);
        CHECK(symlink("/dev/full", "full") == 0);
        CHECK_STATUS(STATUS_IO, idx_write(&data, "full", "labels"));
        CHECK(readlink("full", (char[9]){0}, 9) < 0);
    }
    struct dataset data = {.n = 77};
    struct data_error why = {0};
    CHECK_STATUS(STATUS_IO, idx_read(&data, "missing", "labels", &why));
    CHECK(strstr(why.text, "missing") != NULL);
    CHECK_STATUS(STATUS_IO, idx_read(&data, "images", ".", &why));
    CHECK(strstr(why.text, "not a file") != NULL);
    CHECK(truncate("large", 0) != 0 && mknod("large", S_IFREG | 0600, 0) == 0);
    CHECK(truncate("large", (off_t)(DATA_BYTES_MAX * 2)) == 0); /* sparse */
    CHECK_STATUS(STATUS_RANGE, idx_read(&data, "large", "labels", &why));
    CHECK_NUMBER(77, data.n);
    OOM_EACH {
        AUTO(dataset_free) struct dataset again = {0};
        enum status status = idx_read(&again, "images", "labels", &why);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((status == STATUS_OK) == (again.pixel != NULL));
    }
    CHECK(unlink("images") == 0 && unlink("labels") == 0 && unlink("large") == 0);
    CHECK(chdir("/") == 0 && rmdir(folder) == 0);
}

int main(void)
{
    RUN(plain_and_gzip_are_read_alike);
    RUN(four_dimensions_are_channels);
    RUN(every_shorter_or_longer_file_is_refused);
    RUN(flipped_byte_of_a_gzip_file_is_refused_or_harmless);
    RUN(files_that_do_not_belong_together_are_refused);
    RUN(wrong_magic_is_refused);
    RUN(set_without_images_is_refused);
    RUN(sizes_are_refused_before_they_are_allocated);
    RUN(bomb_is_inflated_no_further_than_its_header);
    RUN(written_files_are_read_again);
    return check_done();
}
