/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/corpus.h"

#include <stdlib.h>
#include <string.h>

#include "lab/folder.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"

static void the_ways_to_name_data_are_told_apart(void)
{
    const struct records right[] = {
        {.train = {0}},
        {.train = {.npz = "a"}},
        {.train = {.npz = "a"}, .held = {.split = "val"}},
        {.train = {.npz = "a", .split = "val"}, .held = {.split = "test"}},
        {.train = {.images = "a", .labels = "b"}, .held = {.images = "c", .labels = "d"}},
        {.train = {.csv = "a"}, .held = {.csv = "b"}, .schema = "c"},
        {.train = {.folder = "a"}, .held = {.folder = "b"}},
    };
    const struct records wrong[] = {
        {.schema = "a"},
        {.size = {1, 8, 8}},
        {.window = {0, 1}},
        {.stride = 1},
        {.train = {.split = "val"}},
        {.held = {.split = "val"}},
        {.held = {.images = "a", .labels = "b"}},
        {.train = {.npz = "a"}, .held = {.images = "a"}},
        {.train = {.npz = "a", .split = "test"}}, /* not tested on what it is trained with */
        {.train = {.images = "a", .labels = "b"}},
        {.train = {.csv = "a"}, .schema = "b"},
        {.train = {.folder = "a"}},
    };
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        CHECK(corpus_usage(&right[i]) == NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(corpus_usage(&wrong[i]) != NULL);
}

static void idx_files_are_read_each_as_what_it_is(void)
{
    char folder[FILE_PATH_MAX], path[4][FILE_PATH_MAX];
    struct study study;
    struct data_error why = {{0}};
    AUTO(dataset_free) struct dataset a = {0}, b = {0}, train = {0}, test = {0};
    small_study(&study, STUDY_SITE, MODEL_MLP);
    small_data(&a, &study, 30, 1);
    small_data(&b, &study, 20, 2);
    CHECK_OK(folder_new(folder, folder_parent(), "veilsum-test"));
    static const char *const name[4] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < 4; i++) CHECK_OK(file_path(path[i], FILE_PATH_MAX, folder, name[i]));
    CHECK_OK(idx_write(&a, path[0], path[1]));
    CHECK_OK(idx_write(&b, path[2], path[3]));
    const struct records corpus = {.train = {.images = path[0], .labels = path[1]},
                                   .held = {.images = path[2], .labels = path[3]}};
    CHECK_OK(corpus_read(&train, &test, &corpus, &why));
    const struct hash first = corpus_hash(&a), one = corpus_hash(&train);
    const struct hash second = corpus_hash(&b), two = corpus_hash(&test);
    CHECK(hash_equal(&first, &one) && hash_equal(&second, &two) && !hash_equal(&one, &two));
    folder_remove(folder);
    CHECK_STATUS(STATUS_IO, corpus_read(&train, &test, &corpus, &why));
    CHECK(strstr(why.text, "a") != NULL);
}

static void tables_are_read_by_one_schema(void)
{
    static const char *const text[3] = {"0,1\n2,0\n", "1,1\n", "number 1 0 2\nlabel 2\n"};
    char folder[FILE_PATH_MAX], path[3][FILE_PATH_MAX];
    static const char *const name[3] = {"train", "test", "schema"};
    struct data_error why = {{0}};
    AUTO(dataset_free) struct dataset train = {0}, test = {0};
    CHECK_OK(folder_new(folder, folder_parent(), "veilsum-test"));
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(file_path(path[i], FILE_PATH_MAX, folder, name[i]));
        CHECK_OK(
            file_write(path[i], (struct view){(const uint8_t *)text[i], strlen(text[i])}, 0600));
    }
    const struct records corpus = {
        .train = {.csv = path[0]}, .held = {.csv = path[1]}, .schema = path[2]};
    CHECK_OK(corpus_read(&train, &test, &corpus, &why));
    CHECK_NUMBER(2, train.n);
    CHECK(train.pixel[0] == 0 && train.pixel[1] == 255 && train.label[0] == 1);
    CHECK_NUMBER(1, test.n);
    folder_remove(folder);
}

static void parts_are_pooled_in_their_order_without_keys(void)
{
    struct study study;
    struct dataset part[3] = {{0}};
    AUTO(dataset_free) struct dataset all = {0}, last = {0};
    small_study(&study, STUDY_SITE, MODEL_MLP);
    for (unsigned v = 0; v < 3; v++) small_data(&part[v], &study, 10 + v, v);
    small_data(&last, &study, 12, 2);
    part[0].key = calloc(10, sizeof *part[0].key);
    part[1].key = calloc(11, sizeof *part[1].key);
    CHECK(part[0].key != NULL && part[1].key != NULL);
    CHECK_OK(corpus_pool(&all, part, 3));
    CHECK_NUMBER(33, all.n);
    CHECK(all.key == NULL);
    CHECK_BYTES(all.label + 21, last.label, 12);
    CHECK_BYTES(all.pixel + 21 * dataset_floats(&all), last.pixel, 12 * dataset_floats(&last));
    for (unsigned v = 0; v < 3; v++) CHECK(part[v].n == 0 && part[v].pixel == NULL);
}

static void a_pool_without_memory_is_none(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    OOM_EACH {
        struct dataset part[2] = {{0}};
        AUTO(dataset_free) struct dataset all = {0};
        oom_stop();
        for (unsigned v = 0; v < 2; v++) small_data(&part[v], &study, 10, v);
        oom_resume();
        const enum status status = corpus_pool(&all, part, 2);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK(all.n == (status == STATUS_OK ? 20 : 0));
        for (unsigned v = 0; v < 2; v++) dataset_free(&part[v]);
    }
}

static void a_hash_is_of_shape_pixels_and_labels(void)
{
    struct study study;
    AUTO(dataset_free) struct dataset data = {0};
    small_study(&study, STUDY_SITE, MODEL_MLP);
    small_data(&data, &study, 10, 1);
    const struct hash before = corpus_hash(&data);
    data.pixel[5] ^= 1;
    const struct hash pixel = corpus_hash(&data);
    data.pixel[5] ^= 1;
    data.label[9] ^= 1;
    const struct hash label = corpus_hash(&data);
    data.label[9] ^= 1;
    data.height /= 2;
    data.width *= 2;
    const struct hash shape = corpus_hash(&data);
    CHECK(!hash_equal(&before, &pixel));
    CHECK(!hash_equal(&before, &label));
    CHECK(!hash_equal(&before, &shape));
}

int main(void)
{
    RUN(the_ways_to_name_data_are_told_apart);
    RUN(idx_files_are_read_each_as_what_it_is);
    RUN(tables_are_read_by_one_schema);
    RUN(parts_are_pooled_in_their_order_without_keys);
    RUN(a_pool_without_memory_is_none);
    RUN(a_hash_is_of_shape_pixels_and_labels);
    return check_done();
}
