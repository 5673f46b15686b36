/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/lib/check.h"
#include "tests/unit/client/picture.h"

/* What is wrong with a command line; NULL when nothing is, and "argp" when the parser says so. */
static const char *usage(struct records *out, const char *const *word)
{
    static char text[8][64]; /* argp may change what it is given */
    char *argv[10] = {text[0]};
    int argc = 1;
    for (; word[argc - 1] != NULL; argc++) {
        (void)snprintf(text[argc], sizeof text[argc], "%s", word[argc - 1]);
        argv[argc] = text[argc];
    }
    *out = (struct records){0};
    const error_t bad =
        argp_parse(&records_argp, argc, argv, ARGP_NO_EXIT | ARGP_NO_ERRS, NULL, out);
    return bad != 0 ? "argp" : records_usage(out);
}
#define USAGE(out, ...) usage(out, ((const char *const[]){__VA_ARGS__, NULL}))

static void every_way_is_understood(void)
{
    struct records r;
    CHECK(USAGE(&r, "-i", "a", "-l", "b") == NULL);
    CHECK(USAGE(&r, "--images=a", "--labels=b", "--holdout-images=c", "--holdout-labels=d") ==
          NULL);
    CHECK(USAGE(&r, "--npz=a", "--split=test", "--holdout-split=val") == NULL);
    CHECK(USAGE(&r, "--csv=a", "--schema=s", "--holdout-csv=b") == NULL);
    CHECK(!records_sized(&r));
    CHECK(USAGE(&r, "--folder=a", "--size=3x20x30", "--holdout-folder=b") == NULL);
    CHECK(r.size.channels == 3 && r.size.height == 20 && r.size.width == 30);
    CHECK(records_sized(&r) && records_named(&r));
    CHECK(USAGE(&r, "--nifti=a", "--window=-1e3:400.5", "--holdout-nifti=b") == NULL);
    CHECK_CLOSE(-1000, r.window.low, 0);
    CHECK_CLOSE(400.5, r.window.high, 0);
    CHECK(USAGE(&r, "--text=a", "--stride=7", "--holdout-text=b") == NULL);
    CHECK(records_sized(&r) && r.stride == 7);
}

static void what_is_said_is_said_of_a_set_or_of_reading(void)
{
    const struct records said[] = {
        {.train = {.text = "a"}},  {.train = {.split = "a"}},
        {.held = {.labels = "a"}}, {.held = {.split = "a"}},
        {.schema = "a"},           {.size = {1, 2, 3}},
        {.window = {-1, 0}},       {.stride = 1},
    };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) CHECK(records_named(&said[i]));
    const struct records nothing = {0};
    CHECK(!records_named(&nothing) && !origin_named(&nothing.held));
}

static void a_size_that_was_not_said_is_that_of_the_model(void)
{
    const struct model_spec spec = {.channels = 3, .height = 4, .width = 5};
    struct records images = {.train = {.folder = "a"}}, said = images;
    struct records table = {.train = {.csv = "a"}, .schema = "b"};
    said.size = (struct data_shape){1, 2, 2};
    records_fit(&images, &spec);
    records_fit(&said, &spec);
    records_fit(&table, &spec);
    CHECK(images.size.channels == 3 && images.size.height == 4 && images.size.width == 5);
    CHECK(said.size.channels == 1 && said.size.height == 2 && said.size.width == 2);
    CHECK(table.size.channels == 0);
}

static void what_is_half_or_twice_named_is_told(void)
{
    struct records r;
    CHECK(USAGE(&r, "-i", "a") != NULL);
    CHECK(USAGE(&r, "-l", "a") != NULL);
    CHECK(USAGE(&r, "--split=val") != NULL);
    CHECK(USAGE(&r, "--npz=a", "--folder=b") != NULL);
    CHECK(USAGE(&r, "--csv=a") != NULL);
    CHECK(USAGE(&r, "--npz=a", "--schema=a") != NULL);
    CHECK(USAGE(&r, "--nifti=a") != NULL);
    CHECK(USAGE(&r, "--npz=a", "--window=0:1") != NULL);
    CHECK(USAGE(&r, "--npz=a", "--holdout-csv=b") != NULL);
    CHECK(USAGE(&r, "--npz=a", "--holdout-folder=b") != NULL);
    CHECK(USAGE(&r, "--npz=a", "--holdout-nifti=b") != NULL);
    CHECK(USAGE(&r, "--npz=a", "--holdout-text=b") != NULL);
    CHECK(USAGE(&r, "--npz=a", "--text=b") != NULL);
    CHECK(USAGE(&r, "--npz=a", "--stride=2") != NULL);
    CHECK(USAGE(&r, "-i", "a", "-l", "b", "--holdout-split=val") != NULL);
    CHECK(USAGE(&r, "-i", "a", "-l", "b", "--holdout-labels=c") != NULL);
    CHECK(USAGE(&r, "--npz=a", "--holdout-split=val", "--holdout-labels=c") != NULL);
}

static void sizes_and_windows_are_read_strictly(void)
{
    struct records r;
    static const char *const size[] = {"",        "1x2",       "2x3x4", "1x0x4",
                                       "1x2x3x4", "1x2x65536", "1x2x3 "};
    static const char *const window[] = {"", "1", "1:", ":1", "2:1", "1:1", "a:b", "0:1x", "0:inf"};
    static const char *const stride[] = {"", "0", "-1", "65536", "3x", "99999999999999999999"};
    for (size_t i = 0; i < sizeof stride / sizeof *stride; i++)
        CHECK(USAGE(&r, "--text=a", "--stride", stride[i]) != NULL);
    for (size_t i = 0; i < sizeof size / sizeof *size; i++)
        CHECK(USAGE(&r, "--folder=a", "--size", size[i]) != NULL);
    for (size_t i = 0; i < sizeof window / sizeof *window; i++)
        CHECK(USAGE(&r, "--nifti=a", "--window", window[i]) != NULL);
}

static void save(const char *path, const char *text)
{
    const struct view view = {(const uint8_t *)text, strlen(text)};
    REQUIRE(file_write(path, view, 0600) == STATUS_OK);
}

static void both_sets_are_read_or_none(void)
{
    struct records r;
    struct dataset data = {0}, held = {0};
    struct data_error why = {{0}};
    save("schema", "number 1 0 9\nlabel 2\n");
    save("train", "1,0\n2,1\n");
    save("held", "3,1\n");
    CHECK(USAGE(&r, "--csv=train", "--schema=schema", "--holdout-csv=held") == NULL);
    CHECK_OK(records_read(&data, &held, &r, &why));
    CHECK(data.n == 2 && held.n == 1);
    dataset_free(&data);
    dataset_free(&held);
    REQUIRE(unlink("held") == 0);
    CHECK_STATUS(STATUS_IO, records_read(&data, &held, &r, &why));
    CHECK(data.pixel == NULL && held.pixel == NULL);
    REQUIRE(unlink("train") == 0 && unlink("schema") == 0);
}

static void images_need_a_size(void)
{
    struct records r;
    struct dataset data = {0}, held = {0};
    struct data_error why = {{0}};
    REQUIRE(mkdir("set", 0700) == 0 && mkdir("set/a", 0700) == 0);
    AUTO(buffer_free) struct buffer png = picture_png((const uint8_t[]){1, 2, 3, 4}, 1, 2, 2);
    REQUIRE(file_write("set/a/1.png", buffer_view(&png), 0600) == STATUS_OK);
    CHECK(USAGE(&r, "--folder=set") == NULL);
    CHECK_STATUS(STATUS_RANGE, records_read(&data, &held, &r, &why));
    CHECK(strstr(why.text, "--size") != NULL);
    CHECK(USAGE(&r, "--folder=set", "--size=1x2x2") == NULL);
    CHECK_OK(records_read(&data, &held, &r, &why));
    CHECK(data.n == 1 && held.n == 0);
    dataset_free(&data);
    REQUIRE(unlink("set/a/1.png") == 0 && rmdir("set/a") == 0 && rmdir("set") == 0);
}

static void text_is_cut_into_what_the_model_reads(void)
{
    struct records r;
    struct dataset data = {0}, held = {0};
    struct data_error why = {{0}};
    save("text", "abcdefg");
    CHECK(USAGE(&r, "--text=text", "--holdout-text=text") == NULL);
    CHECK_STATUS(STATUS_RANGE, records_read(&data, &held, &r, &why)); /* no length is known */
    r.size = (struct data_shape){1, 2, 3};
    CHECK_STATUS(STATUS_RANGE, records_read(&data, &held, &r, &why));
    CHECK(strstr(why.text, "one row") != NULL);
    r.size = (struct data_shape){1, 1, 2};
    CHECK_OK(records_read(&data, &held, &r, &why));
    CHECK(data.n == 2 && data.width == 2 && held.n == 2 && data.key == NULL);
    dataset_free(&data);
    dataset_free(&held);
    r.stride = 1;
    CHECK_OK(records_read(&data, &held, &r, &why));
    CHECK(data.n == 5 && held.n == 5);
    dataset_free(&data);
    dataset_free(&held);
    REQUIRE(unlink("text") == 0);
}

int main(void)
{
    char folder[] = "/tmp/veilsum-records-XXXXXX";
    REQUIRE(mkdtemp(folder) != NULL && chdir(folder) == 0);
    RUN(every_way_is_understood);
    RUN(what_is_half_or_twice_named_is_told);
    RUN(what_is_said_is_said_of_a_set_or_of_reading);
    RUN(a_size_that_was_not_said_is_that_of_the_model);
    RUN(sizes_and_windows_are_read_strictly);
    RUN(both_sets_are_read_or_none);
    RUN(images_need_a_size);
    RUN(text_is_cut_into_what_the_model_reads);
    REQUIRE(rmdir(folder) == 0);
    return check_done();
}
