/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/nifti.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

/* The header's fields that count, in the byte order of the file. */
struct volume {
    uint16_t dims, dim[7], type, bits;
    float offset, slope, inter;
    bool swapped;
};

static void put(uint8_t *out, const void *in, size_t n, bool swapped)
{
    const uint8_t *at = in;
    for (size_t i = 0; i < n; i++) out[swapped ? n - 1 - i : i] = at[i];
}

/* The file of a volume whose stored values are in, each of item bytes. */
static struct buffer file_of(const struct volume *v, const void *in, size_t item, size_t n)
{
    struct buffer out = {0};
    uint8_t h[352] = {0};
    const int32_t size = NIFTI_HEADER_BYTES;
    put(h, &size, 4, v->swapped);
    put(h + 40, &v->dims, 2, v->swapped);
    for (size_t d = 0; d < 7; d++) put(h + 42 + 2 * d, &v->dim[d], 2, v->swapped);
    put(h + 70, &v->type, 2, v->swapped);
    put(h + 72, &v->bits, 2, v->swapped);
    put(h + 108, &v->offset, 4, v->swapped);
    put(h + 112, &v->slope, 4, v->swapped);
    put(h + 116, &v->inter, 4, v->swapped);
    memcpy(h + 344, "n+1", 4);
    write_bytes(&out, h, sizeof h);
    for (size_t i = 0; i < n; i++) {
        uint8_t own[8];
        put(own, (const uint8_t *)in + i * item, item, v->swapped);
        write_bytes(&out, own, item);
    }
    return out;
}

static const struct volume plain = {
    .dims = 3, .dim = {3, 2, 2}, .type = 2, .bits = 8, .offset = 352};
static const uint8_t bytes12[12] = {0, 50, 100, 150, 200, 250, 1, 2, 3, 4, 5, 255};
static const struct data_window whole = {0, 255};

/* The first plane of what the values -100, 0, 50, 100, 250, 300 are, in a window of 0..250. */
static void check_type(uint16_t type, const void *in, size_t item)
{
    for (int swapped = 0; swapped < 2; swapped++) {
        struct volume v = plain;
        v.dims = 2;
        v.dim[2] = 0; /* beyond the dimensions */
        v.type = type;
        v.bits = (uint16_t)(8 * item);
        v.swapped = swapped != 0;
        AUTO(buffer_free) struct buffer bytes = file_of(&v, in, item, 6);
        AUTO(nifti_free) struct nifti nifti = {0};
        AUTO(image_free) struct image image = {0};
        struct dataset counts = {0};
        struct data_error why = {{0}};
        CHECK_OK(nifti_parse(&nifti, buffer_view(&bytes), &why));
        REQUIRE(nifti.planes == 1 && nifti.height == 2 && nifti.width == 3);
        CHECK_OK(nifti_plane(&image, &nifti, 0, &(struct data_window){0, 250}, &counts, &why));
        CHECK_BYTES(((const uint8_t[]){0, 0, 51, 102, 255, 255}), image.pixel, 6);
        CHECK_NUMBER(2, counts.clamped);
    }
}

static void types_are_read_in_both_byte_orders(void)
{
    check_type(4, ((const int16_t[]){-100, 0, 50, 100, 250, 300}), 2);
    check_type(8, ((const int32_t[]){-100, 0, 50, 100, 250, 300}), 4);
    check_type(16, ((const float[]){-100, 0, 50, 100, 250, 300}), 4);
    check_type(64, ((const double[]){-100, 0, 50, 100, 250, 300}), 8);
    const uint16_t high[] = {0, 0, 50, 100, 250, 65535};
    struct volume v = plain;
    v.type = 512;
    v.bits = 16;
    v.dims = 2;
    AUTO(buffer_free) struct buffer bytes = file_of(&v, high, 2, 6);
    AUTO(nifti_free) struct nifti nifti = {0};
    AUTO(image_free) struct image image = {0};
    struct dataset counts = {0};
    struct data_error why = {{0}};
    CHECK_OK(nifti_parse(&nifti, buffer_view(&bytes), &why));
    CHECK_OK(nifti_plane(&image, &nifti, 0, &(struct data_window){0, 250}, &counts, &why));
    CHECK_BYTES(((const uint8_t[]){0, 0, 51, 102, 255, 255}), image.pixel, 6);
}

static void slope_and_intercept_are_applied(void)
{
    struct volume v = plain;
    v.slope = 2;
    v.inter = -100;
    AUTO(buffer_free) struct buffer bytes = file_of(&v, bytes12, 1, 12);
    AUTO(nifti_free) struct nifti nifti = {0};
    AUTO(image_free) struct image image = {0};
    struct dataset counts = {0};
    struct data_error why = {{0}};
    CHECK_OK(nifti_parse(&nifti, buffer_view(&bytes), &why));
    CHECK_OK(nifti_plane(&image, &nifti, 0, &(struct data_window){-100, 410}, &counts, &why));
    CHECK_BYTES(bytes12, image.pixel, 6);
    image_free(&image);
    CHECK_OK(nifti_plane(&image, &nifti, 1, &(struct data_window){-100, 410}, &counts, &why));
    CHECK_BYTES(bytes12 + 6, image.pixel, 6);
    CHECK_NUMBER(0, counts.clamped);
}

static void what_is_no_number_is_black_and_counted(void)
{
    struct volume v = plain;
    v.dims = 2;
    v.type = 16;
    v.bits = 32;
    const float odd[] = {NAN, HUGE_VALF, -HUGE_VALF, 1, 2, 3};
    AUTO(buffer_free) struct buffer bytes = file_of(&v, odd, 4, 6);
    AUTO(nifti_free) struct nifti nifti = {0};
    AUTO(image_free) struct image image = {0};
    struct dataset counts = {0};
    struct data_error why = {{0}};
    CHECK_OK(nifti_parse(&nifti, buffer_view(&bytes), &why));
    CHECK_OK(nifti_plane(&image, &nifti, 0, &whole, &counts, &why));
    CHECK_BYTES(((const uint8_t[]){0, 255, 0, 1, 2, 3}), image.pixel, 6);
    CHECK(counts.missing == 1 && counts.clamped == 2);
}

static void check_refused(enum status want, const struct volume *v, size_t n)
{
    AUTO(buffer_free) struct buffer bytes = file_of(v, bytes12, 1, n);
    struct nifti nifti = {.planes = 77};
    struct data_error why = {{0}};
    CHECK_STATUS(want, nifti_parse(&nifti, buffer_view(&bytes), &why));
    CHECK(nifti.planes == 77 && nifti.bytes.at == NULL && why.text[0] != 0);
}

static void headers_that_contradict_themselves_are_refused(void)
{
    struct volume v = plain;
    v.dims = 1;
    check_refused(STATUS_FORMAT, &v, 12);
    v.dims = 8;
    check_refused(STATUS_FORMAT, &v, 12);
    v = plain;
    v.dim[1] = 0;
    check_refused(STATUS_FORMAT, &v, 12);
    v.dim[1] = 0x8000;
    check_refused(STATUS_FORMAT, &v, 12);
    v = plain;
    v.type = 128; /* RGB */
    check_refused(STATUS_FORMAT, &v, 12);
    v = plain;
    v.bits = 16;
    check_refused(STATUS_FORMAT, &v, 12);
    static const float offset[] = {0, 347, 1e9f, NAN, -352};
    for (size_t i = 0; i < 5; i++) {
        v = plain;
        v.offset = offset[i];
        check_refused(STATUS_FORMAT, &v, 12);
    }
    v = plain;
    v.slope = HUGE_VALF;
    check_refused(STATUS_FORMAT, &v, 12);
    v = plain;
    v.slope = 1;
    v.inter = NAN;
    check_refused(STATUS_FORMAT, &v, 12);
    check_refused(STATUS_FORMAT, &plain, 11);
    AUTO(buffer_free) struct buffer bytes = file_of(&plain, bytes12, 1, 12);
    struct nifti nifti = {0};
    struct data_error why = {{0}};
    for (size_t n = 0; n < bytes.n; n++)
        CHECK_STATUS(STATUS_FORMAT, nifti_parse(&nifti, (struct view){bytes.at, n}, &why));
    bytes.at[345] = 'i'; /* planes in another file */
    CHECK_STATUS(STATUS_FORMAT, nifti_parse(&nifti, buffer_view(&bytes), &why));
}

static void sizes_are_refused_before_they_are_allocated(void)
{
    struct volume v = plain;
    for (size_t d = 0; d < 7; d++) v.dim[d] = 32767;
    v.dims = 7; /* the product does not fit 64 bits */
    check_refused(STATUS_FORMAT, &v, 12);
    v.dims = 5;
    check_refused(STATUS_RANGE, &v, 12);
    v.dims = 7;
    for (size_t d = 2; d < 7; d++) v.dim[d] = 1;
    check_refused(STATUS_RANGE, &v, 12);   /* planes above 2^26 */
    v.dim[0] = v.dim[1] = v.dim[2] = 1024; /* a GiB in 364 bytes */
    AUTO(buffer_free) struct buffer bytes = file_of(&v, bytes12, 1, 12);
    struct nifti nifti = {0};
    struct data_error why = {{0}};
    oom_start(1);
    CHECK_STATUS(STATUS_FORMAT, nifti_parse(&nifti, buffer_view(&bytes), &why));
    CHECK(!oom_hit());
    oom_stop();
}

static void save(const char *path, const char *text)
{
    const struct view view = {(const uint8_t *)text, strlen(text)};
    REQUIRE(file_write(path, view, 0600) == STATUS_OK);
}

static const struct data_shape size = {1, 2, 3};

static enum status read_list(struct dataset *out, const char *text, struct data_error *why)
{
    save("list", text);
    return nifti_read(out, "list", &size, &whole, why);
}

static void lists_name_volumes_planes_and_labels(void)
{
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {{0}};
    CHECK_OK(read_list(&data, "a.nii,3\nb.nii,1,0,0\nb.nii,0,1,1\n\"a.nii\",2,1,1\n", &why));
    REQUIRE(data.pixel != NULL);
    CHECK_NUMBER(5, data.n);
    CHECK_NUMBER(4, data.classes);
    CHECK_BYTES(((const uint8_t[]){3, 3, 1, 0, 2}), data.label, 5);
    CHECK_BYTES(((const uint16_t[]){0, 0, 1, 1, 2}), data.key, 10);
    CHECK_BYTES(bytes12, data.pixel, 12);
    CHECK_BYTES(bytes12, data.pixel + 12, 12);
    CHECK_BYTES(bytes12 + 6, data.pixel + 24, 6);
}

static void lists_that_name_what_is_not_there_are_refused_by_line(void)
{
    static const struct {
        enum status status;
        const char *text, *words;
    } bad[] = {
        {STATUS_FORMAT, "", "empty"},
        {STATUS_FORMAT, "a.nii\n", "line 1"},
        {STATUS_FORMAT, "a.nii,1\na.nii,1,0\n", "line 2"},
        {STATUS_FORMAT, "a.nii,256\n", "line 1"},
        {STATUS_FORMAT, "a.nii,x\n", "line 1"},
        {STATUS_FORMAT, ",1\n", "line 1"},
        {STATUS_FORMAT, "a.nii,1,0,2\n", "no such planes"},
        {STATUS_FORMAT, "a.nii,1,1,0\n", "no such planes"},
        {STATUS_FORMAT, "\"a.nii,1\n", "quotes"},
        {STATUS_FORMAT, "list,1\n", "line 1"},
        {STATUS_IO, "absent.nii,1\n", "absent.nii"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct dataset data = {.n = 77};
        struct data_error why = {{0}};
        CHECK_STATUS(bad[i].status, read_list(&data, bad[i].text, &why));
        CHECK(data.n == 77 && data.pixel == NULL && data.key == NULL);
        CHECK(strstr(why.text, bad[i].words) != NULL);
    }
    struct dataset data = {0};
    struct data_error why = {{0}};
    save("list", "a.nii,1\n");
    const struct data_window flat = {1, 1};
    CHECK_STATUS(STATUS_RANGE, nifti_read(&data, "list", &size, &flat, &why));
    const struct data_shape two = {2, 2, 2}, huge = {1, 65535, 65535};
    CHECK_STATUS(STATUS_RANGE, nifti_read(&data, "list", &two, &whole, &why));
    CHECK_STATUS(STATUS_RANGE, nifti_read(&data, "list", &huge, &whole, &why));
    CHECK_STATUS(STATUS_IO, nifti_read(&data, "nowhere", &size, &whole, &why));
}

static void memory_may_end_anywhere(void)
{
    OOM_EACH {
        AUTO(dataset_free) struct dataset data = {0};
        struct data_error why = {{0}};
        const enum status status = nifti_read(&data, "list", &size, &whole, &why);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((status == STATUS_OK) == (data.pixel != NULL));
    }
}

int main(void)
{
    char folder[] = "/tmp/veilsum-nifti-XXXXXX";
    REQUIRE(mkdtemp(folder) != NULL && chdir(folder) == 0);
    AUTO(buffer_free) struct buffer bytes = file_of(&plain, bytes12, 1, 12);
    REQUIRE(file_write("a.nii", buffer_view(&bytes), 0600) == STATUS_OK);
    REQUIRE(file_write("b.nii", buffer_view(&bytes), 0600) == STATUS_OK);
    RUN(types_are_read_in_both_byte_orders);
    RUN(slope_and_intercept_are_applied);
    RUN(what_is_no_number_is_black_and_counted);
    RUN(headers_that_contradict_themselves_are_refused);
    RUN(sizes_are_refused_before_they_are_allocated);
    RUN(lists_name_volumes_planes_and_labels);
    RUN(lists_that_name_what_is_not_there_are_refused_by_line);
    RUN(memory_may_end_anywhere);
    REQUIRE(unlink("a.nii") == 0 && unlink("b.nii") == 0 && unlink("list") == 0);
    REQUIRE(rmdir(folder) == 0);
    return check_done();
}
